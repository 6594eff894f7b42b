import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  formatLines,
  HeaderError,
  HeaderList,
  parseLines,
} from '../../../lib/gateway/filters/header-list.js';
import { QueryList } from '../../../lib/gateway/filters/query-list.js';

const list = () => new HeaderList(['X-A', '1', 'x-b', '2', 'x-a', '3']);

describe('a list of headers', () => {
  it('reads names in small letters, and keeps them as they were written', () => {
    expect([list().get('X-a'), list().getAll('x-A'), list().has('x-c')]).toEqual([
      '1',
      ['1', '3'],
      false,
    ]);
    expect([...list().entries()]).toEqual([
      ['X-A', '1'],
      ['x-b', '2'],
      ['x-a', '3'],
    ]);
  });

  it.each<[string, (headers: HeaderList) => void, string[]]>([
    ['sets in place of all', (each) => each.set('x-a', '4'), ['X-A', '4', 'x-b', '2']],
    [
      'sets what was not there',
      (each) => each.set('x-c', '4'),
      ['X-A', '1', 'x-b', '2', 'x-a', '3', 'x-c', '4'],
    ],
    ['adds', (each) => each.add('x-b', '4'), ['X-A', '1', 'x-b', '2', 'x-a', '3', 'x-b', '4']],
    ['removes all', (each) => each.remove('X-A'), ['x-b', '2']],
    ['renames all', (each) => each.rename('x-a', 'x-c'), ['x-c', '1', 'x-b', '2', 'x-c', '3']],
    [
      'renames to the same',
      (each) => each.rename('x-a', 'X-A'),
      ['X-A', '1', 'x-b', '2', 'X-A', '3'],
    ],
  ])('%s', (_what, change, expected) => {
    const headers = list();
    change(headers);
    expect(headers.raw).toEqual(expected);
  });

  it.each(['Content-Length', 'transfer-encoding', 'HOST', 'Connection', 'a b', '', 'a:'])(
    'refuses to write %j',
    (name) => {
      for (const change of ['set', 'add', 'rename'] as const)
        expect(() => list()[change](name, 'x')).toThrow(HeaderError);
      expect(() => list().rename('x-a', name)).toThrow(HeaderError);
      expect(() => list().remove(name)).toThrow(HeaderError);
    },
  );

  it('never writes a second line, whatever the value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const headers = list();
        try {
          headers.set('x-new', value);
        } catch (error) {
          expect(error).toBeInstanceOf(HeaderError);
          return;
        }
        expect(parseLines(formatLines(headers.raw))).toEqual(headers.raw);
      }),
    );
  });
});

describe('a list of parameters', () => {
  it('keeps the bytes of what is not changed', () => {
    const part = fc.stringMatching(/^[\w=%+.~-]{0,6}$/);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), (parts) => {
        const query = `?${parts.join('&')}`;
        const read = new QueryList(query);
        read.remove('not there');
        expect(read.toString()).toBe(query === '?' ? '' : query);
      }),
    );
  });

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme' }),
        (name, value) => {
          const query = new QueryList('');
          query.add(name, value);
          query.set(name, value);
          expect(new QueryList(query.toString()).getAll(name)).toEqual([value]);
        },
      ),
    );
  });

  it('lets what cannot be decoded stand for itself', () => {
    expect(new QueryList('?a=%zz&a=b+c').getAll('a')).toEqual(['%zz', 'b c']);
  });
});

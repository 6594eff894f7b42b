import { describe, expect, it } from '@jest/globals';
import { assert, dictionary, property, string as anyString, stringMatching } from 'fast-check';
import { FormatError } from '../../../lib/common/properties/flatten.js';
import { readProperties } from '../../../lib/common/properties/properties-format.js';

const read = (text: string) =>
  readProperties(text).map(({ entries }) =>
    Object.fromEntries(entries.map(({ key, value }) => [key, value])),
  );

/** Writes a text so that it is one word of a .properties file. */
const escaped = (text: string) =>
  [...text.matchAll(/[^]/g)]
    .map(([unit]) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

describe('a .properties file', () => {
  it.each<[string, string, Record<string, string>]>([
    ['an equals sign', 'a=1', { a: '1' }],
    ['a colon', 'a:1', { a: '1' }],
    ['a blank', 'a 1', { a: '1' }],
    ['blanks around', '  a \t=  1 ', { a: '1 ' }],
    ['no value', 'a=\nb\nc:', { a: '', b: '', c: '' }],
    ['more signs in the value', 'a==1=2:3', { a: '=1=2:3' }],
    ['comments and empty lines', '# x\n\n ! y\na=1 # not one', { a: '1 # not one' }],
    ['escaped signs in the key', 'a\\=b\\:c\\ d=1', { 'a=b:c d': '1' }],
    ['continuation lines', 'a=1,\\\n   2,\\\r\n\t3\nb=4', { a: '1,2,3', b: '4' }],
    ['a comment sign on a continuation line', 'a=1\\\n#2', { a: '1#2' }],
    ['an escaped backslash at the end', 'a=1\\\\\nb=2', { a: '1\\', b: '2' }],
    ['a backslash at the very end', 'a=1\\', { a: '1' }],
    ['escapes', 'a=\\t\\n\\r\\f\\x\\\\', { a: '\t\n\r\fx\\' }],
    ['unicode', 'a=\\u00e9é\\u20AC', { a: 'éé€' }],
    ['surrogate pairs', 'a=\\ud83d\\ude00', { a: '😀' }],
    ['an equals sign alone', '=1', { '': '1' }],
    ['old line ends', 'a=1\rb=2', { a: '1', b: '2' }],
    ['lists and bracketed names', 'a[0]=1\nb[c.d]=2', { 'a[0]': '1', 'b[c.d]': '2' }],
    ['unsafe names', '__proto__=1', JSON.parse('{"__proto__":"1"}') as Record<string, string>],
  ])('has %s', (_name, text, expected) => {
    expect(read(text)).toEqual([expected]);
  });

  it('may hold several documents', () => {
    expect(read('a=1\n#---\na=2\n!---\na=3\n#--- no separator\n')).toEqual([
      { a: '1' },
      { a: '2' },
      { a: '3' },
    ]);
  });

  it('knows where each property stands', () => {
    const [document] = readProperties('# x\na=1\\\n2\n\nb=2');
    expect(document?.entries.map(({ position }) => position)).toEqual(['2:1', '5:1']);
  });

  it.each([
    ['a=1\nb=2\na=3', '"a" stands here a second time. Keep one of them.', 3],
    ['a=\\u12x4', '"\\u" without four hexadecimal digits', 1],
  ])('refuses %j with its line', (text, sentence, line) => {
    expect(() => readProperties(text)).toThrow(new FormatError(sentence));
    expect(() => readProperties(text)).toThrow(expect.objectContaining({ line }));
  });

  it('gives back whatever was written into it', () => {
    assert(
      property(dictionary(anyString(), anyString()), (values) => {
        const text = Object.entries(values)
          .map(([key, value]) => `${escaped(key)}=${escaped(value)}`)
          .join('\n');
        expect(new Map(Object.entries(read(text)[0] ?? {}))).toEqual(
          new Map(Object.entries(values)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('never fails otherwise than with its own error', () => {
    const text = stringMatching(/^[ab=:#!\\u0\n\r\t -]{0,60}$/);
    assert(
      property(text, (any) => {
        try {
          readProperties(any);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import {
  assert,
  boolean as anyBoolean,
  dictionary,
  integer as anyInteger,
  oneof,
  property,
  string as anyString,
  stringMatching,
} from 'fast-check';
import { FormatError } from '../../../lib/common/properties/flatten.js';
import { readJson, readYaml } from '../../../lib/common/properties/yaml-format.js';
import { cpuTime } from '../../support/cpu-time.js';

const values = (documents: ReturnType<typeof readYaml>) =>
  documents.map(({ entries }) => Object.fromEntries(entries.map(({ key, value }) => [key, value])));

/** The error that reading a text ends with. */
function errorOf(read: () => unknown): FormatError {
  try {
    read();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('a YAML file', () => {
  it.each<[string, string, unknown]>([
    ['nested keys', 'a:\n  b: 1\n  c: {d: x}', { 'a.b': 1, 'a.c.d': 'x' }],
    ['keys with points', 'a.b: 1', { 'a.b': 1 }],
    ['names in brackets', 'a:\n  "[b.c]": 1', { 'a[b.c]': 1 }],
    ['names that are numbers', 'a:\n  7: x', { 'a[7]': 'x' }],
    ['lists', 'a: [1, {b: 2}, [3]]', { 'a[0]': 1, 'a[1].b': 2, 'a[2][0]': 3 }],
    [
      'an empty list and null as empty texts',
      'a: []\nb: null\nc: ~\nd:\n',
      { a: '', b: '', c: '', d: '' },
    ],
    ['an empty object as nothing', 'a: {}\nb: 1', { a: '', b: 1 }],
    [
      'kinds of values',
      'a: 1.5\nb: true\nc: "1"\nd: 0x1F\ne: 1e3',
      { a: 1.5, b: true, c: '1', d: 31, e: 1000 },
    ],
    [
      'the words Spring reads as booleans',
      'a: yes\nb: Off\nc: "no"\nd: n',
      { a: true, b: false, c: 'no', d: 'n' },
    ],
    ['dates as texts', 'a: 2026-11-23', { a: '2026-11-23' }],
    [
      'numbers too large for JavaScript as texts',
      'a: 12345678901234567890',
      { a: '12345678901234567890' },
    ],
    ['infinity as a text', 'a: .inf', { a: '.inf' }],
    ['block texts', 'a: |\n  x\n  y\n', { a: 'x\ny\n' }],
    ['aliases', 'a: &x {b: 1}\nc: *x', { 'a.b': 1, 'c.b': 1 }],
    [
      'merged objects, beneath the map’s own keys',
      'a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3',
      { 'a.b': 1, 'a.c': 2, 'd.b': 3, 'd.c': 2 },
    ],
    [
      'several merged objects, the first strongest',
      'a: &x {k: 1}\nb: &y {k: 2, l: 3}\nc:\n  <<: [*x, *y]',
      { 'a.k': 1, 'b.k': 2, 'b.l': 3, 'c.k': 1, 'c.l': 3 },
    ],
    ['unsafe names', '__proto__: 1', JSON.parse('{"__proto__":1}')],
  ])('has %s', (_name, text, expected) => {
    const [document] = values(readYaml(text));
    const wanted = expected as Record<string, unknown>;
    // An empty object is no key at all (YamlProcessor.buildFlattenedMap).
    if (_name.startsWith('an empty object')) delete wanted['a'];
    expect(document).toEqual(wanted);
  });

  it('may hold several documents, and empty ones', () => {
    expect(values(readYaml('a: 1\n---\n---\nb: 2\n'))).toEqual([{ a: 1 }, {}, { b: 2 }]);
    expect(values(readYaml(''))).toEqual([]);
    expect(values(readYaml('# nothing'))).toEqual([]);
  });

  it('knows where each property stands', () => {
    const [document] = readYaml('a:\n  b: 1\n  c:\n    - x\n    - y\n');
    expect(document?.entries.map(({ key, position }) => `${key} ${position}`)).toEqual([
      'a.b 2:6',
      'a.c[0] 4:7',
      'a.c[1] 5:7',
    ]);
  });

  it.each<[string, string, RegExp, number]>([
    ['broken syntax', 'a: 1\nb: [1, 2\nc: 3\n', /./, 3],
    ['the same key twice', 'a: 1\nb: 2\na: 3', /"a" stands here a second time/, 3],
    ['the same flat key twice', 'a:\n  b: 1\na.b: 2', /"a.b" stands here a second time/, 3],
    ['a list at the top', '- a\n- b', /must hold keys and values/, 1],
    ['a text at the top', 'hello', /must hold keys and values/, 1],
    ['an unknown alias', 'a: *nothing', /./, 1],
    ['a key that is an object', '? {a: 1}\n: 2', /a key must be a text/, 1],
    ['too many levels', `a: ${'['.repeat(70)}1${']'.repeat(70)}`, /deeper than 64 levels/, 1],
    ['an object within itself', 'a: &a\n  b: *a', /deeper than 64 levels/, 2],
    ['an object merged into itself', 'a: &a\n  <<: *a', /deeper than 64 levels/, 2],
  ])('is refused for %s, with the line', (_name, text, sentence, line) => {
    const error = errorOf(() => readYaml(text));
    expect(error.message).toMatch(sentence);
    expect(error.line).toBe(line);
  });

  it('does not laugh a billion times', () => {
    const lines = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let at = 1; at < 12; at++) {
      lines.push(`a${at}: &a${at} [${Array.from({ length: 10 }, () => `*a${at - 1}`).join(',')}]`);
    }
    const spent = cpuTime(() =>
      expect(errorOf(() => readYaml(lines.join('\n'))).message).toMatch(/too large|more than/),
    );
    // A billion of anything takes minutes.
    expect(spent).toBeLessThan(4_000);
  });

  it.each<[string, (at: number) => string]>([
    ['aliases of one anchor', (at) => `k${at}: *x`],
    ['aliases of many anchors', (at) => `k${at}: &a${at} 1\nj${at}: *a${at}`],
    ['objects merged in', (at) => `k${at}: {<<: *o}`],
  ])('does not look for the anchor of each of 20,000 %s anew', (_name, line) => {
    const text = `x: &x 1\no: &o {p: 1}\n${Array.from({ length: 20_000 }, (_, at) => line(at)).join('\n')}`;
    const spent = cpuTime(() => expect(readYaml(text)[0]?.entries.length).toBeGreaterThan(20_000));
    // Each by its own walk from the top takes minutes.
    expect(spent).toBeLessThan(10_000);
  });

  it('takes an alias for what stood last before it under its name', () => {
    expect(values(readYaml('a: &x 1\nb: *x\nc: &x 2\nd: *x'))).toEqual([
      { a: 1, b: 1, c: 2, d: 2 },
    ]);
    expect(() => readYaml('a: *x\nb: &x 1')).toThrow('an alias (*) names nothing');
    expect(() => readYaml('a: &x 1\n---\nb: *x')).toThrow('an alias (*) names nothing');
  });

  it('has no end of documents', () => {
    expect(readYaml('a: 1\n---\n'.repeat(900)).length).toBeGreaterThan(900);
    expect(() => readYaml('a: 1\n---\n'.repeat(2_000))).toThrow('more than 1000 documents. Split');
  });

  it.each([
    'a: "x" SECRET1',
    'a: SECRET1: x',
    "a: 'SECRET1",
    'a: "SECRET1',
    'a: @SECRET1',
    'a: *SECRET1',
    'a: !SECRET1!x y',
    'a: !!SECRET1 {b: 1}',
    'a: !!map SECRET1',
    'a: %SECRET1',
    '%SECRET1\na: 1',
    '%YAML SECRET1\n---\na: [',
    '%TAG SECRET1\n---\na: [',
    'a: 1\nSECRET1',
    'a: [1\nSECRET1',
    'a: "\\qSECRET1"',
    'a: "\\uSECRET1"',
    'a: |SECRET1',
    'a: >-SECRET1\n x',
    'a: b\n c: SECRET1\n d',
    '{SECRET1',
    'a: ]SECRET1',
    'a: `SECRET1',
    '- SECRET1: [',
    'a: "SECRET1"b',
    'a: {b: SECRET1',
    '<<: SECRET1',
  ])('tells what is wrong with %j without its words', (text) => {
    let said = '';
    try {
      readYaml(text);
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      said = String(error);
    }
    expect(said).not.toContain('SECRET1');
  });

  it('reads what JSON can say as JSON reads it', () => {
    const name = stringMatching(/^[a-z]{1,5}$/);
    const leaf = oneof(anyInteger(), anyString(), anyBoolean());
    assert(
      property(dictionary(name, dictionary(name, leaf)), (document) => {
        const expected: Record<string, unknown> = {};
        for (const [outer, inner] of Object.entries(document)) {
          for (const [key, value] of Object.entries(inner)) expected[`${outer}.${key}`] = value;
        }
        expect(values(readJson(JSON.stringify(document, null, '\t')))).toEqual([expected]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a JSON file', () => {
  it('has its values and lines', () => {
    const [document] = readJson('{\n  "a": {"b": "yes"},\n  "c": [1, null]\n}');
    expect(document?.entries).toEqual([
      { key: 'a.b', value: 'yes', position: '2:14' },
      { key: 'c[0]', value: 1, position: '3:9' },
      { key: 'c[1]', value: '', position: '3:12' },
    ]);
  });

  it.each<[string, string, RegExp, number]>([
    ['no JSON', '{\n"a": 1,\n}', /is not JSON/, 3],
    ['half a file', '{\n"a": {"b": 1', /is not JSON/, 2],
    ['YAML', 'a: 1', /is not JSON/, 1],
    ['the same key twice', '{"a": 1,\n"a": 2}', /a second time/, 2],
    ['a list', '[1]', /must hold keys and values/, 1],
  ])('is refused for %s, with the line', (_name, text, sentence, line) => {
    const error = errorOf(() => readJson(text));
    expect(error.message).toMatch(sentence);
    expect(error.line).toBe(line);
  });
});

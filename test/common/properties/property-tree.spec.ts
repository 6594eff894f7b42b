import { describe, expect, it } from '@jest/globals';
import {
  array as anyArray,
  assert,
  boolean as anyBoolean,
  dictionary,
  integer as anyInteger,
  letrec,
  oneof,
  property,
  string as anyString,
  stringMatching,
} from 'fast-check';
import {
  isSafeKey,
  keyBelow,
  listOf,
  segmentsOf,
} from '../../../lib/common/properties/property-key.js';
import {
  flatten,
  lookUp,
  mergeTrees,
  type PropertyTree,
  unflatten,
} from '../../../lib/common/properties/property-tree.js';

const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));

const sorted = (list: readonly unknown[]) => list.map(String).toSorted(compare);

const tree = (flat: Record<string, unknown>) => unflatten(Object.entries(flat));

describe('a property key', () => {
  it.each([
    ['a', ['a']],
    ['a.b', ['a', 'b']],
    ['a[0].b', ['a', 0, 'b']],
    ['a[0][1]', ['a', 0, 1]],
    ['a[some.key].b', ['a', 'some.key', 'b']],
    ['a-b.c_d', ['a-b', 'c_d']],
    ['a..b', ['a..b']],
    ['.a', ['.a']],
    ['a.', ['a.']],
    ['a[', ['a[']],
    ['a[]', ['a[]']],
    ['a]b', ['a]b']],
    ['a[0]b', ['a[0]b']],
    ['', []],
    ['a[99999]', ['a', '99999']],
  ])('%s is the steps %j', (key, steps) => {
    expect(segmentsOf(key)).toEqual(steps);
  });

  it.each([
    ['a', undefined],
    ['a.b[0].c[1]', 'a.b'],
    ['a[key]', undefined],
    ['a[key].b[0]', 'a[key].b'],
  ])('%s belongs to the list %s', (key, list) => {
    expect(listOf(key)).toBe(list);
  });

  it('is joined as Spring joins it', () => {
    expect(keyBelow('', 'a')).toBe('a');
    expect(keyBelow('a', 'b')).toBe('a.b');
    expect(keyBelow('a', 0)).toBe('a[0]');
    expect(keyBelow('a', '[b.c]')).toBe('a[b.c]');
  });

  it.each(['__proto__', 'a.__proto__.b', 'constructor.x', 'a.prototype', 'a[__proto__]'])(
    '%s is not safe',
    (key) => expect(isSafeKey(key)).toBe(false),
  );
});

describe('unflatten', () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    ['nests', { 'a.b': 1, 'a.c': 2 }, { a: { b: 1, c: 2 } }],
    ['makes lists', { 'a[0]': 1, 'a[1].b': 2 }, { a: [1, { b: 2 }] }],
    ['fills gaps with null', { 'a[2]': 1 }, { a: [null, null, 1] }],
    ['nests lists', { 'a[0][1]': 1 }, { a: [[null, 1]] }],
    ['keeps bracketed names whole', { 'a[b.c]': 1 }, { a: { 'b.c': 1 } }],
    ['keeps both of a clash', { a: 1, 'a.b': 2 }, { a: 1, 'a.b': 2 }],
    ['keeps both in any order', { 'a.b': 2, a: 1 }, { a: 1, 'a.b': 2 }],
    ['keeps a clash where it is', { 'x.a': 1, 'x.a.b.c': 2 }, { x: { a: 1, 'a.b.c': 2 } }],
    ['keeps a value and a list', { a: 1, 'a[0]': 2 }, { a: 1, 'a[0]': 2 }],
    ['keeps a list and fields', { 'a[0]': 1, 'a.b': 2 }, { a: [1], 'a.b': 2 }],
    ['moves a clash out of a list', { 'a[0]': 1, 'a[0].b': 2 }, { a: [1], 'a[0].b': 2 }],
    ['takes an empty object as nothing to clash with', { a: {}, 'a.b': 1 }, { a: { b: 1 } }],
    ['takes a lone high index as a name', { 'a[9999]': 1 }, { 'a[9999]': 1 }],
    ['keeps a list at the top', { '[0]': 1 }, { '[0]': 1 }],
    [
      'keeps null, false and empty texts',
      { a: null, b: false, c: '' },
      { a: null, b: false, c: '' },
    ],
    ['keeps what is no path', { 'a..b': 1, 'c.': 2 }, { 'a..b': 1, 'c.': 2 }],
    ['leaves unsafe keys out', { '__proto__.x': 1, 'a.constructor': 2, b: 3 }, { b: 3 }],
  ])('%s', (_name, flat, expected) => {
    expect(tree(flat)).toEqual(expected);
  });

  it('never touches Object.prototype', () => {
    tree(JSON.parse('{"__proto__": 1, "__proto__.polluted": 2, "a.__proto__.polluted": 3}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('never throws and loses no value, whatever the keys are', () => {
    const key = oneof(
      anyString({ maxLength: 12 }),
      stringMatching(/^[ab.[\]01]{0,10}$/),
      stringMatching(/^(a|b)(\.(a|b)|\[[012]\]){0,4}$/),
    );
    assert(
      property(dictionary(key, anyInteger()), (all) => {
        // Keys that are the same steps, such as `a[b]` and `a.b`, are one key.
        const distinct = new Map(
          Object.entries(all).map((entry) => [JSON.stringify(segmentsOf(entry[0])), entry]),
        );
        const flat = [...distinct.values()];
        const built = unflatten(flat);
        const safe = flat.filter(([name]) => isSafeKey(name) && name !== '');
        const values = [...flatten(built).values()].filter((value) => value !== null);
        expect(sorted(values)).toEqual(sorted(safe.map(([, value]) => value)));
      }),
      { numRuns: 500 },
    );
  });

  it('undoes flatten', () => {
    const name = stringMatching(/^[a-z][a-z0-9_-]{0,6}$/).filter((word) => isSafeKey(word));
    const { document } = letrec<{ node: unknown; document: PropertyTree }>((tie) => ({
      node: oneof(
        { maxDepth: 4 },
        oneof(anyInteger(), anyString(), anyBoolean()),
        anyArray(tie('node'), { minLength: 1, maxLength: 4 }),
        dictionary(name, tie('node'), { minKeys: 1, maxKeys: 4 }),
      ),
      document: dictionary(name, tie('node'), { maxKeys: 5 }),
    }));
    assert(
      property(document, (original) => {
        expect(unflatten(flatten(original))).toEqual(structuredCloneOf(original));
      }),
      { numRuns: 300 },
    );
  });
});

/** fast-check's dictionaries may have no prototype; ours always have one. */
function structuredCloneOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('flatten', () => {
  it('looks into plain objects only, and keeps what is empty', () => {
    const date = new Date(0);
    const call = Date.now;
    expect([...flatten({ a: { date, call, list: [], none: {} }, 'b.c': null })]).toEqual([
      ['a.date', date],
      ['a.call', call],
      ['a.list', []],
      ['a.none', {}],
      ['b.c', null],
    ]);
  });

  it('ends with an object that contains itself', () => {
    const circle: PropertyTree = { a: 1 };
    circle['self'] = circle;
    expect(flatten(circle).size).toBeLessThan(100);
  });
});

describe('lookUp', () => {
  const document = { a: { b: [{ c: 1 }], 'x.y': 2 }, n: null, 'a.z': 3, 'k.l': { m: 4 } };
  it.each([
    ['a.b[0].c', 1],
    ['a.x.y', 2],
    ['a[x.y]', 2],
    ['a.z', 3],
    ['n', null],
    ['a.b', [{ c: 1 }]],
    ['a.b.c', undefined],
    ['toString', undefined],
    ['a.constructor', undefined],
    ['__proto__', undefined],
    ['a.b.length.x', undefined],
  ])('finds %s', (key, value) => {
    expect(lookUp(document, key)).toEqual(value);
  });
});

describe('mergeTrees', () => {
  it('joins objects, replaces lists and leaves both alone', () => {
    const lower = { a: { x: 1, list: [1, 2] }, only: 1, clash: { in: 1 } };
    const upper = { a: { y: 2, list: [3] }, clash: 2 };
    const copies = [structuredClone(lower), structuredClone(upper)];
    expect(mergeTrees(lower, upper)).toEqual({ a: { x: 1, y: 2, list: [3] }, only: 1, clash: 2 });
    expect([lower, upper]).toEqual(copies);
  });
});

/** A step into a document: the name of a field, or the index of a list item. */
export type Segment = string | number;

/** A longer list is not believed: `a[999999999]` must not cost memory. */
const LONGEST_LIST = 10_000;

/** Names that reach behind an object instead of into it. */
const UNSAFE: ReadonlySet<Segment> = new Set(['__proto__', 'constructor', 'prototype']);

/** `db` and `.pool`; `a` and `[0].b`; a key map's `[some.key]` and what follows it. */
const HEAD = /^(?:\.?([^.[\]]+)|\[([^[\]]+)\])(?=$|[.[])/;

/** The first step of a key and the rest of it, or `undefined` when the key is not written as steps. */
export function splitKey(key: string): readonly [Segment, string] | undefined {
  const match = HEAD.exec(key);
  if (!match) return undefined;
  const [text, name, bracketed = ''] = match;
  const rest = key.slice(text.length);
  if (name !== undefined) return [name, rest];
  const index = /^\d{1,5}$/.test(bracketed) ? Number(bracketed) : LONGEST_LIST;
  return [index < LONGEST_LIST ? index : bracketed, rest];
}

/** The steps of a key: `a.b[0]` is `['a', 'b', 0]`. A key that is not written as steps is one step. */
export function segmentsOf(key: string): readonly Segment[] {
  // Nearly every key has names and points alone, and thousands are read at each change.
  if (!key.includes('[') && !key.includes(']')) {
    const names = key.split('.');
    return key === '' ? [] : names.includes('') ? [key] : names;
  }
  const segments: Segment[] = [];
  for (let rest = key; rest !== '';) {
    // Only a step inside of a key begins with a point.
    const split = rest === key && key.startsWith('.') ? undefined : splitKey(rest);
    if (!split) return [key];
    segments.push(split[0]);
    rest = split[1];
  }
  return segments;
}

/** The key of a field or an item below a key. A name in brackets is taken as it is: `a` and `[b.c]` are `a[b.c]`. */
export function keyBelow(parent: string, segment: Segment): string {
  if (typeof segment === 'number') return `${parent}[${segment}]`;
  return parent === '' || segment.startsWith('[') ? `${parent}${segment}` : `${parent}.${segment}`;
}

/** The list that a key belongs to: `a.b` for `a.b[0].c`; `undefined` when it belongs to none. */
export function listOf(key: string): string | undefined {
  if (!key.includes('[')) return undefined;
  const at = key.search(/\[\d{1,4}\]/);
  return at > 0 ? key.slice(0, at) : undefined;
}

/** Whether steps may be followed in a plain object. */
export function areSafe(segments: readonly Segment[]): boolean {
  return !segments.some((segment) => UNSAFE.has(segment));
}

/** Whether a key may be looked up and written in a plain object. */
export function isSafeKey(key: string): boolean {
  return areSafe(segmentsOf(key));
}

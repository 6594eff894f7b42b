import {
  areSafe,
  isSafeKey,
  keyBelow,
  type Segment,
  segmentsOf,
  splitKey,
} from './property-key.js';

/** A document: what flat keys are when their steps are followed. */
export type PropertyTree = { [key: string]: unknown };

/** Nothing that a person writes is deeper. */
const DEEPEST = 64;

interface Node {
  value?: { readonly leaf: unknown };
  readonly fields: Map<string, Node>;
  readonly items: Map<number, Node>;
}

interface Built {
  readonly value: unknown;
  /** What has no place below the value, because the value is a scalar: suffixes and leaves. */
  readonly homeless: readonly (readonly [string, unknown])[];
}

/** Whether a value is a plain object, which is looked into; dates, classes and the like are values. */
export function isPlain(value: unknown): value is PropertyTree {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm, as in a test runner, has another Object.prototype; both end after one step.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * The flat keys of a document. Keys with points are steps as well, as in Spring: `{ 'a.b': 1 }` is `{ a: { b: 1 } }`.
 *
 * An empty list or object stays, as a leaf; unsafe keys (`__proto__`) and what is deeper than 64 steps are left out.
 */
export function flatten(document: PropertyTree): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  const visit = (key: string, value: unknown, depth: number): void => {
    const inner = entriesOf(value);
    if (!inner) {
      if (isSafeKey(key)) flat.set(key, value);
    } else if (depth < DEEPEST) {
      for (const [segment, item] of inner) visit(keyBelow(key, segment), item, depth + 1);
    }
  };
  for (const [key, value] of Object.entries(document)) visit(key, value, 1);
  return flat;
}

function entriesOf(value: unknown): readonly (readonly [Segment, unknown])[] | undefined {
  if (Array.isArray(value) && value.length > 0) return value.map((item, index) => [index, item]);
  if (!isPlain(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length > 0 ? entries : undefined;
}

/**
 * The document of flat keys.
 *
 * Gaps in a list are null. Where a key is a value and has keys below it too (`a` and `a.b`), both stay: the second under
 * its compound name, `{ a: 1, 'a.b': 2 }`. Unsafe keys and those of more than 64 steps are left out.
 */
export function unflatten(flat: Iterable<readonly [string, unknown]>): PropertyTree {
  const root = emptyNode();
  for (const [key, value] of flat) {
    const segments = segmentsOf(key);
    if (!areSafe(segments) || segments.length > DEEPEST) continue;
    let node = root;
    for (const segment of segments) node = child(node, segment);
    node.value = { leaf: value };
  }
  return fieldsOf(root);
}

function emptyNode(): Node {
  return { fields: new Map(), items: new Map() };
}

function child(node: Node, segment: Segment): Node {
  const known = typeof segment === 'number' ? node.items.get(segment) : node.fields.get(segment);
  if (known) return known;
  const made = emptyNode();
  if (typeof segment === 'number') node.items.set(segment, made);
  else node.fields.set(segment, made);
  return made;
}

function build(node: Node): Built {
  if (node.value && !(isPlain(node.value.leaf) && node.fields.size > 0)) {
    return { value: node.value.leaf, homeless: [...leavesOf(node, '')] };
  }
  if (node.items.size === 0) return { value: fieldsOf(node), homeless: [] };
  const homeless: (readonly [string, unknown])[] = [];
  let length = 0;
  for (const index of node.items.keys()) length = Math.max(length, index + 1);
  // One item with a high index must not cost a long list: `a[9999]` alone stays a compound name.
  if (length > 4 * node.items.size + 64)
    return { value: undefined, homeless: [...leavesOf(node, '')] };
  const value = Array.from({ length }, (_, index) => {
    const item = node.items.get(index);
    if (!item) return null;
    const built = build(item);
    for (const [suffix, leaf] of built.homeless) homeless.push([`[${index}]${suffix}`, leaf]);
    return built.value;
  });
  // A list that has named fields too: the list stays, the fields go beside it.
  for (const [name, field] of node.fields) homeless.push(...allOf(field, suffixOf(name)));
  return { value, homeless };
}

function fieldsOf(node: Node): PropertyTree {
  const tree: PropertyTree = {};
  for (const [name, field] of node.fields) {
    const { value, homeless } = build(field);
    if (value !== undefined) tree[name] = value;
    for (const [suffix, leaf] of homeless) tree[`${name}${suffix}`] = leaf;
  }
  // A document that is a list at its top has no name to stand under.
  for (const [index, item] of node.items) {
    for (const [key, leaf] of allOf(item, `[${index}]`)) tree[key] = leaf;
  }
  return tree;
}

function* allOf(node: Node, key: string): Iterable<readonly [string, unknown]> {
  if (node.value) yield [key, node.value.leaf];
  yield* leavesOf(node, key);
}

function* leavesOf(node: Node, key: string): Iterable<readonly [string, unknown]> {
  for (const [name, field] of node.fields) yield* allOf(field, `${key}${suffixOf(name)}`);
  for (const [index, item] of node.items) yield* allOf(item, `${key}[${index}]`);
}

function suffixOf(name: string): string {
  return /[.[\]]/.test(name) ? `[${name}]` : `.${name}`;
}

/** The value at a key, or `undefined`. Own properties only, so that nothing is found behind an object. */
export function lookUp(tree: unknown, key: string): unknown {
  if (key === '') return tree;
  if (typeof tree !== 'object' || tree === null) return undefined;
  if (Object.hasOwn(tree, key)) return (tree as PropertyTree)[key];
  // A compound name further down begins with the point that joined it: `.b.c` below `a`.
  if (key.startsWith('.') && Object.hasOwn(tree, key.slice(1))) {
    return (tree as PropertyTree)[key.slice(1)];
  }
  const split = splitKey(key);
  if (!split || !Object.hasOwn(tree, split[0])) return undefined;
  return lookUp((tree as PropertyTree)[split[0]], split[1]);
}

/** Two documents as one: the upper wins, objects are joined, lists are replaced whole. Neither is changed. */
export function mergeTrees(lower: PropertyTree, upper: PropertyTree): PropertyTree {
  const merged: PropertyTree = { ...lower };
  for (const [key, value] of Object.entries(upper)) {
    const below = Object.hasOwn(merged, key) ? merged[key] : undefined;
    merged[key] = isPlain(below) && isPlain(value) ? mergeTrees(below, value) : value;
  }
  return merged;
}

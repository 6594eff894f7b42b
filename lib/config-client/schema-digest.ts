import { createHash } from 'node:crypto';

/** Nothing of a schema that matters lies deeper. */
const DEEPEST = 12;

/** A digest of rules: of what schemas hold, and of the text of classes and functions. The same program has the same one. */
export function digestOf(rules: readonly unknown[]): string {
  const seen = new Set<unknown>();
  const hash = createHash('sha256');
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === 'function') hash.update(Function.prototype.toString.call(value));
    if (typeof value !== 'object' || value === null) {
      hash.update(`${typeof value} ${typeof value === 'function' ? '' : String(value)};`);
      return;
    }
    if (seen.has(value) || depth > DEEPEST) return;
    seen.add(value);
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      // A getter may do anything; schemas keep what they are in plain fields.
      if (!('value' in descriptor)) continue;
      hash.update(`${key}:`);
      visit(descriptor.value, depth + 1);
    }
  };
  for (const rule of rules) visit(rule, 0);
  return hash.digest('hex').slice(0, 32);
}

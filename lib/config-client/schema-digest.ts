import { createHash } from 'node:crypto';
import { isStandardSchema } from './config-validation.js';

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
      // A getter may do anything.
      if (!('value' in descriptor)) continue;
      hash.update(`${key}:`);
      visit(descriptor.value, depth + 1);
    }
  };
  for (const rule of rules) visit(described(rule) ?? rule, 0);
  return hash.digest('hex').slice(0, 32);
}

/** The JSON Schema of a schema that can say it: Standard JSON Schema, https://standardschema.dev/json-schema. */
function described(rule: unknown): unknown {
  if (!isStandardSchema(rule)) return undefined;
  const { jsonSchema } = rule['~standard'] as { readonly jsonSchema?: JsonSchema };
  try {
    return jsonSchema?.input({ target: 'draft-2020-12' });
  } catch {
    // Such as a transform, which JSON Schema cannot say.
    return undefined;
  }
}

interface JsonSchema {
  input(options: { readonly target: string }): unknown;
}

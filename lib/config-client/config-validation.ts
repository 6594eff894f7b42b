import { messageOf } from '../common/errors.js';
import { keyBelow } from '../common/properties/property-key.js';
import { flatten, lookUp, type PropertyTree } from '../common/properties/property-tree.js';

/** What zod, valibot, arktype and their like share: Standard Schema, version 1. */
export interface StandardSchema<T = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

type SchemaResult<T> =
  { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

/** What a schema finds wrong, and where. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * Checks the merged document: throws to refuse it, returns nothing to take it as it is, or returns what to use instead.
 */
export type ConfigCheck = (tree: PropertyTree) => unknown;

/** The outcome of a check. */
export type Verdict =
  | { readonly good: true; readonly tree: PropertyTree }
  | { readonly good: false; readonly issues: readonly string[] };

/** Where a key's value stands: `file:orders-prod.yml:12:3`. */
export type OriginLookup = (key: string) => string | undefined;

/** Whether a value is a Standard Schema; some are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    '~standard' in value
  );
}

/** Judges a document; a check that returns no object leaves it as it is. */
export async function judge(
  tree: PropertyTree,
  validate: StandardSchema | ConfigCheck | undefined,
  originOf: OriginLookup = () => undefined,
): Promise<Verdict> {
  if (!validate) return { good: true, tree };
  try {
    if (!isStandardSchema(validate)) return accepted(await validate(tree), tree);
    const result = await validate['~standard'].validate(tree);
    if (!result.issues) return accepted(result.value, tree);
    return { good: false, issues: sentences(result.issues, tree, originOf) };
  } catch (error) {
    return { good: false, issues: [hidden(messageOf(error), tree)] };
  }
}

/** The key, what is wrong with it and where it stands; never the value: it may be a secret. */
export function sentences(
  issues: readonly SchemaIssue[],
  tree: PropertyTree,
  originOf: OriginLookup,
): readonly string[] {
  return issues.map(({ message, path = [] }) => {
    const key = keyOf(path);
    const value = lookUp(tree, key);
    const masked =
      typeof value === 'string' && value.length > 2 ? message.replaceAll(value, '******') : message;
    const origin = key === '' ? undefined : originOf(key);
    return `${key === '' ? '' : `${key}: `}${hidden(masked, tree)}${origin ? ` (${origin})` : ''}`;
  });
}

function keyOf(path: NonNullable<SchemaIssue['path']>): string {
  return path
    .map((step) => (typeof step === 'object' ? step.key : step))
    .reduce<string>(
      (key, step) => keyBelow(key, typeof step === 'symbol' ? String(step) : step),
      '',
    );
}

/** A sentence without the long texts of the configuration: any of them may be a secret. */
function hidden(message: string, tree: PropertyTree): string {
  let shown = message;
  for (const value of flatten(tree).values()) {
    // A word of plain letters is also what schemas write by themselves: "string", "boolean".
    if (typeof value === 'string' && value.length >= 6 && !/^[a-z]+$/.test(value)) {
      shown = shown.replaceAll(value, '******');
    }
  }
  return shown;
}

function accepted(value: unknown, tree: PropertyTree): Verdict {
  const replaced = typeof value === 'object' && value !== null && !Array.isArray(value);
  return { good: true, tree: replaced ? (value as PropertyTree) : tree };
}

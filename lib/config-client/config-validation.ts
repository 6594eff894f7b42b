import { messageOf } from '../common/errors.js';
import { flatten, lookUp, type PropertyTree } from '../common/properties/property-tree.js';

/** What zod, valibot, arktype and their like share: Standard Schema, version 1. */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>;
  };
}

type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
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
): Promise<Verdict> {
  if (!validate) return { good: true, tree };
  try {
    if (!isStandardSchema(validate)) return accepted(await validate(tree), tree);
    const result = await validate['~standard'].validate(tree);
    if (!result.issues) return accepted(result.value, tree);
    return { good: false, issues: result.issues.map((issue) => sentence(issue, tree)) };
  } catch (error) {
    return { good: false, issues: [hidden(messageOf(error), tree)] };
  }
}

/** A sentence without the texts of the configuration: any of them may be a secret. */
function hidden(message: string, tree: PropertyTree): string {
  let shown = message;
  for (const value of flatten(tree).values()) {
    if (typeof value === 'string' && value.length >= 6) shown = shown.replaceAll(value, '******');
  }
  return shown;
}

function accepted(value: unknown, tree: PropertyTree): Verdict {
  const replaced = typeof value === 'object' && value !== null && !Array.isArray(value);
  return { good: true, tree: replaced ? (value as PropertyTree) : tree };
}

/** The key and what is wrong with it, never the value: it may be a secret. */
function sentence({ message, path = [] }: SchemaIssue, tree: PropertyTree): string {
  const steps = path.map((step) => (typeof step === 'object' ? step.key : step));
  const key = steps
    .map((step, at) =>
      typeof step === 'number' ? `[${step}]` : `${at === 0 ? '' : '.'}${String(step)}`,
    )
    .join('');
  const value = lookUp(tree, key);
  const shown =
    typeof value === 'string' && value.length > 2 ? message.replaceAll(value, '******') : message;
  return key === '' ? shown : `${key}: ${shown}`;
}

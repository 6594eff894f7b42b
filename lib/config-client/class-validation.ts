import { isPlain, type PropertyTree } from '../common/properties/property-tree.js';
import { optionalPackage } from '../common/optional-package.js';
import type { SectionType } from './config-section.js';
import type { SchemaIssue } from './config-validation.js';
import { typedLike } from './environment-variables.js';

/** What a class made of a document: an instance, or what is wrong. */
export type ClassResult = { readonly value: object } | { readonly issues: readonly SchemaIssue[] };

interface ClassError {
  readonly property: string;
  readonly constraints?: Readonly<Record<string, string>>;
  readonly children?: readonly ClassError[];
}

/**
 * Makes an instance of a class and lets class-validator judge it. class-transformer makes nested ones (`@Type`).
 *
 * Both packages are loaded when the first class is judged; a class without any rule still needs them.
 */
export async function judgeClass(type: SectionType, document: PropertyTree): Promise<ClassResult> {
  const use = { use: `ConfigClientModule checks the class ${type.name} with class-validator` };
  const { validate } = await optionalPackage(() => import('class-validator'), {
    name: 'class-validator',
    ...use,
  });
  const { plainToInstance } = await optionalPackage(() => import('class-transformer'), {
    name: 'class-transformer',
    ...use,
  });
  const instance = plainToInstance(type, typed(type, document), { exposeDefaultValues: true });
  const errors = await validate(instance, { forbidUnknownValues: false });
  if (errors.length === 0) return { value: instance };
  return { issues: [...issuesOf(errors, [])] };
}

/** Texts as the kinds of value that the fields declare: .properties and Consul's keys know texts only. */
function typed(type: SectionType, document: PropertyTree): PropertyTree {
  const entries = Object.entries(document).map(([key, value]) => {
    const kind: unknown = Reflect.getMetadata('design:type', type.prototype as object, key);
    if (typeof value === 'string' && kind === Number) return [key, typedLike(value, 0)];
    if (typeof value === 'string' && kind === Boolean) return [key, typedLike(value, false)];
    if (isPlain(value) && typeof kind === 'function' && kind !== Object) {
      return [key, typed(kind as SectionType, value)];
    }
    return [key, value];
  });
  return Object.fromEntries(entries) as PropertyTree;
}

function* issuesOf(errors: readonly ClassError[], above: readonly string[]): Iterable<SchemaIssue> {
  for (const { property, constraints = {}, children = [] } of errors) {
    const path = [...above, property];
    // class-validator begins each sentence with the field's name, which the path says already.
    const sentences = Object.values(constraints).map((each) =>
      each.startsWith(`${property} `) ? each.slice(property.length + 1) : each,
    );
    if (sentences.length > 0) yield { path, message: sentences.join(', ') };
    yield* issuesOf(children, path);
  }
}

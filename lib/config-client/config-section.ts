import { isStandardSchema, type StandardSchema } from './config-validation.js';
import { refuse } from '../common/option-readers.js';

/** Where `@ConfigSection` leaves the key. */
const SECTION = 'rookery:config-section';

/** A class that a section is made of. */
// oxlint-disable-next-line typescript/no-explicit-any -- a section's class may want anything; it is made without arguments
export type SectionType<T extends object = object> = new (...args: any[]) => T;

/** A part of the configuration that has a type and rules of its own. */
export interface SchemaSection<T extends object = object> {
  /** What to inject: `@Inject(database.KEY)`. */
  readonly KEY: symbol;
  /** The part's key: `'db'`. */
  readonly prefix: string;
  readonly schema: StandardSchema<T>;
}

/** What the type of a section's value is: `ValueOf<typeof database>`. */
export type SectionValue<S> = S extends SchemaSection<infer T> ? T : never;

/** What a section is, whichever way it was written. */
export interface SectionDefinition {
  readonly token: symbol | SectionType;
  readonly prefix: string;
  readonly check: StandardSchema | SectionType;
}

/**
 * A class whose instance is a part of the configuration, always with the newest good values.
 *
 * List it in `ConfigClientModule.forFeature` and inject it. Its fields may have defaults. Where class-validator's
 * decorators stand on them, they are the rules: a change that breaks one is refused as a whole.
 *
 * @param prefix the part's key, such as `'db'`
 * @example
 * @ConfigSection('db')
 * class DatabaseConfig {
 *   @IsUrl({ require_tld: false }) readonly url!: string;
 *   @IsInt() @Min(1) readonly poolMax: number = 10;
 * }
 */
export function ConfigSection(prefix: string): ClassDecorator {
  return (type) => Reflect.defineMetadata(SECTION, prefix, type);
}

/**
 * A part of the configuration with the rules of a schema: zod, valibot or any other Standard Schema.
 *
 * @example
 * const database = configSection('db', z.object({ url: z.url(), poolMax: z.number().default(10) }));
 * // imports: [ConfigClientModule.forFeature(database)]
 * constructor(@Inject(database.KEY) private readonly db: SectionValue<typeof database>) {}
 */
export function configSection<T extends object>(
  prefix: string,
  schema: StandardSchema<T>,
): SchemaSection<T> {
  if (!isStandardSchema(schema)) {
    refuse(
      `configSection('${prefix}')`,
      'has no schema',
      'Give it a Standard Schema, such as z.object({…}).',
    );
  }
  return { KEY: Symbol(`config section ${prefix}`), prefix, schema };
}

/** Reads what was given to `forFeature`. */
export function sectionOf(given: SectionType | SchemaSection): SectionDefinition {
  if (typeof given !== 'function') {
    return { token: given.KEY, prefix: given.prefix, check: given.schema };
  }
  const prefix: unknown = Reflect.getMetadata(SECTION, given);
  if (typeof prefix === 'string') return { token: given, prefix, check: given };
  return refuse(
    `ConfigClientModule.forFeature(${given.name})`,
    'names a class without its key',
    `Write @ConfigSection('db') above ${given.name}.`,
  );
}

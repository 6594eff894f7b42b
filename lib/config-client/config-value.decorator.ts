import type { ConfigChange } from './config-client.events.js';

/** A property that reads a key. */
export interface ConfigValueMark {
  readonly property: string | symbol;
  readonly key: string;
  readonly fallback: unknown;
}

/** A method that hears of changes. */
export interface ConfigChangeMark {
  readonly method: string | symbol;
  readonly pattern: string;
}

/** Where the decorators leave their marks: on the prototype. */
export const CONFIG_VALUES = 'rookery:config-values';
export const CONFIG_CHANGES = 'rookery:config-changes';

/**
 * A property that always reads the newest value of a key.
 *
 * It works in providers and controllers that live as long as the application, from `onModuleInit` on; in a constructor,
 * and in request-scoped classes, inject `ConfigClient` instead. The property cannot be written.
 *
 * @param key such as `'db.pool.max'`
 * @param fallback what it reads while the key has no value; a variable such as `DB_POOL_MAX` is read as its kind of value
 * @example
 * @Injectable()
 * class Checkout {
 *   @ConfigValue('features.discount', false) readonly discount!: boolean;
 * }
 */
export function ConfigValue(key: string, fallback?: unknown): PropertyDecorator {
  return (prototype, property) => {
    mark(CONFIG_VALUES, prototype, { property, key, fallback });
  };
}

/**
 * A method that is called after values have changed: with `'db.*'` for anything below `db`, with `'db.url'` for that key
 * and anything below it, with `'*'` for everything.
 *
 * It is given a `ConfigChange` with the keys that fit. What it throws is logged and harms nobody.
 *
 * @example
 * @OnConfigChange('db.*')
 * reconnect({ keys }: ConfigChange) { this.pool.reset(keys); }
 */
export function OnConfigChange(pattern: string) {
  return <M extends (change: ConfigChange) => unknown>(
    prototype: object,
    method: string | symbol,
    _descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    mark(CONFIG_CHANGES, prototype, { method, pattern });
  };
}

function mark(name: string, prototype: object, added: ConfigValueMark | ConfigChangeMark): void {
  // Marks of a base class are inherited; its own list must not grow with those of its children.
  const inherited = (Reflect.getMetadata(name, prototype) ?? []) as readonly object[];
  Reflect.defineMetadata(name, [...inherited, added], prototype);
}

import type { Type } from '../common/metadata-explorer.js';
import type { PolicyOptions } from './policy.options.js';

/** Under this a class's prototype keeps the marks of its methods. */
export const RESILIENT = 'rookery:resilient';
/** Under this it keeps which parameter of a method takes the signal. */
export const CALL_SIGNAL = 'rookery:call-signal';

/** What a marked method does when its call fails. */
export interface ResilientOptions {
  /**
   * What to return then: the name of another method of the same class, `{ value }`, or a provider that has a method of the
   * same name. Methods are given the cause, then the arguments.
   */
  readonly fallback?: string | { readonly value: unknown } | Type;
}

/** What `@Resilient` was given. */
export interface ResilientMark extends ResilientOptions {
  readonly method: string | symbol;
  /** A name, options, or nothing, which is the defaults. */
  readonly policy: string | PolicyOptions | undefined;
}

/**
 * Calls of this method follow a policy: one with a name, which all that name it share, or one of its own.
 *
 * It works on providers and controllers that are made once; the method returns a promise from then on.
 *
 * @example
 * @Resilient({ timeout: '300ms', retry: 2, bulkhead: 20 }, { fallback: 'cached' })
 * async quote(sku: string, @CallSignal() signal?: AbortSignal) {
 *   return (await fetch(`http://prices/${sku}`, { signal })).json();
 * }
 * cached(cause: Error, sku: string) { return { sku, price: 1 }; }
 */
export function Resilient(
  policy?: string | (PolicyOptions & ResilientOptions),
  options: ResilientOptions = {},
): MethodDecorator {
  return (target, method) => {
    const { fallback: inside, ...given } = typeof policy === 'object' ? policy : {};
    const fallback = options.fallback ?? inside;
    const mark: ResilientMark = {
      method,
      policy: typeof policy === 'object' ? given : policy,
      ...(fallback === undefined ? {} : { fallback }),
    };
    const marks = (Reflect.getMetadata(RESILIENT, target) ?? []) as readonly ResilientMark[];
    const others = marks.filter((each) => each.method !== method);
    Reflect.defineMetadata(RESILIENT, [...others, mark], target);
  };
}

/** This parameter of a resilient method takes the signal of its call, which aborts when nobody waits for it any longer. */
export function CallSignal(): ParameterDecorator {
  return (target, method, index) => {
    if (method !== undefined) Reflect.defineMetadata(CALL_SIGNAL, index, target, method);
  };
}

import { define, type Factory, type MemberParts, type Spec, type Use } from '../definition.js';
import type { PredicateRequest } from './predicate-request.js';

/** Whether a request whose path, method and host match a route is the route's; synchronous, and without effects. */
export type RoutePredicate = (request: PredicateRequest) => boolean;

/** A predicate as it is written on a route: `header({ name: 'x-beta' })`, or `{ Header: { name: 'x-beta' } }`. */
export type PredicateSpec = Spec<RoutePredicate>;

/** A predicate made in code, with its arguments. */
export type PredicateUse = Use<RoutePredicate>;

/**
 * Defines a predicate, for code and by its name for configuration.
 *
 * @example
 * const mobile = definePredicate({
 *   name: 'Mobile',
 *   read: () => ({}),
 *   create: () => (request) => request.headers('sec-ch-ua-mobile').includes('?1'),
 * });
 */
export function definePredicate<A extends object, S>(
  parts: MemberParts<RoutePredicate, A, S>,
): Factory<RoutePredicate, A> {
  return define('predicate', parts);
}

import { define, type Factory, type MemberParts, type Spec, type Use } from '../definition.js';
import type { GatewayExchange } from './gateway-exchange.js';

/** What follows a filter: the next one, and at the end the upstream. */
export type NextFilter = (exchange: GatewayExchange) => void | Promise<void>;

/**
 * Does something to a request on its way, and to its answer through `exchange.onResponse`.
 *
 * It calls `next` once, or `exchange.answer` in its place. One that does nothing asynchronous returns what `next` returns,
 * and costs no promise. What it throws becomes an answer: an `HttpException` its own status, anything else 500.
 */
export type GatewayFilter = (exchange: GatewayExchange, next: NextFilter) => void | Promise<void>;

/** A filter as it is written on a route: `stripPrefix({ parts: 1 })`, `'PreserveHost'`, `{ StripPrefix: { parts: 1 } }`. */
export type FilterSpec = Spec<GatewayFilter>;

/** A filter made in code, with its arguments. */
export type FilterUse = Use<GatewayFilter>;

/**
 * Defines a filter, for code and by its name for configuration.
 *
 * What was written is read when a route is compiled: wrong arguments stop the start, or cost a route of a source its place.
 *
 * @example
 * interface TagArgs {
 *   // The value of `x-tag`.
 *   readonly value: string;
 * }
 * const tag = defineFilter({
 *   name: 'Tag',
 *   read: (args: Args<TagArgs>) => ({ value: args.text('value') }),
 *   create: ({ value }) => (exchange, next) => {
 *     exchange.headers.set('x-tag', value);
 *     return next(exchange);
 *   },
 * });
 */
export function defineFilter<A extends object, S>(
  parts: MemberParts<GatewayFilter, A, S>,
): Factory<GatewayFilter, A> {
  return define('filter', parts);
}

/** Links filters once, so that a request finds each with its next. */
export function linkFilters(filters: readonly GatewayFilter[], last: NextFilter): NextFilter {
  return filters.reduceRight<NextFilter>(
    (next, filter) => (exchange) => filter(exchange, next),
    last,
  );
}

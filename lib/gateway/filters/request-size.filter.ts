import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** How large a body may be. */
export interface RequestSizeArgs {
  /** The most bytes; the gateway's `limits.body` stays above it. */
  readonly max: number;
}

/** Limits the bodies of a route's requests; a larger one is answered 413: `requestSize({ max: 10_000 })`. */
export const requestSize = defineFilter({
  name: 'RequestSize',
  read: (args: Args<RequestSizeArgs>) => ({ max: args.integer('max', { min: 1 }) }),
  create:
    ({ max }) =>
    (exchange, next) => {
      exchange.limitBody(max);
      return next(exchange);
    },
});

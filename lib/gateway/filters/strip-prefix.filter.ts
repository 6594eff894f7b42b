import type { Args } from '../args.js';
import { startOfSegment } from '../routes/segments.js';
import { defineFilter } from './gateway-filter.js';

/** How much of a path is dropped. */
export interface StripPrefixArgs {
  /** How many segments. @default 1 */
  readonly parts?: number;
}

/** Drops the first segments of the path: `/api/orders/7` becomes `/orders/7`. */
export const stripPrefix = defineFilter({
  name: 'StripPrefix',
  read: (args: Args<StripPrefixArgs>) => ({ parts: args.integer('parts', { default: 1, min: 1 }) }),
  create:
    ({ parts }) =>
    (exchange, next) => {
      exchange.path = exchange.path.slice(startOfSegment(exchange.path, parts)) || '/';
      return next(exchange);
    },
});

import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** What is put before a path. */
export interface PrefixPathArgs {
  /** Such as `/v2`. */
  readonly prefix: string;
}

/** Puts a prefix before the path: `/orders/7` becomes `/v2/orders/7`. */
export const prefixPath = defineFilter({
  name: 'PrefixPath',
  read: (args: Args<PrefixPathArgs>) => ({
    prefix: args.text('prefix', {
      matches: /^\/[\w.~!$&'()*+,;=:@/-]*[^/]$/,
      remedy: "Write it like '/v2', without a slash at its end.",
    }),
  }),
  create:
    ({ prefix }) =>
    (exchange, next) => {
      exchange.path = exchange.path === '/' ? prefix : prefix + exchange.path;
      return next(exchange);
    },
});

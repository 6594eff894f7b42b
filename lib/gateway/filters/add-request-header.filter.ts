import type { Args } from '../args.js';
import { type HeadersArgs, headerRecord } from './header-args.js';
import { defineFilter } from './gateway-filter.js';

/** Adds headers to the request, beside those of the same names: `addRequestHeader({ headers: { 'x-tenant': 'a' } })`. */
export const addRequestHeader = defineFilter({
  name: 'AddRequestHeader',
  read: (args: Args<HeadersArgs>) => ({ given: args.read('headers', headerRecord) }),
  create:
    ({ given }) =>
    (exchange, next) => {
      for (const [name, value] of given) exchange.headers.add(name, value);
      return next(exchange);
    },
});

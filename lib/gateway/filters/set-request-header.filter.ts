import type { Args } from '../args.js';
import { type HeadersArgs, headerRecord } from './header-args.js';
import { defineFilter } from './gateway-filter.js';

/** Writes headers of the request, in place of those of the same names: `setRequestHeader({ headers: { 'x-tenant': 'a' } })`. */
export const setRequestHeader = defineFilter({
  name: 'SetRequestHeader',
  read: (args: Args<HeadersArgs>) => ({ given: args.read('headers', headerRecord) }),
  create:
    ({ given }) =>
    (exchange, next) => {
      for (const [name, value] of given) exchange.headers.set(name, value);
      return next(exchange);
    },
});

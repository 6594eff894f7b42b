import type { Args } from '../args.js';
import { type HeaderNamesArgs, headerNames } from './header-args.js';
import { defineFilter } from './gateway-filter.js';

/** Takes headers of the request away: `removeRequestHeader({ names: 'cookie' })`. */
export const removeRequestHeader = defineFilter({
  name: 'RemoveRequestHeader',
  read: (args: Args<HeaderNamesArgs>) => ({ given: args.read('names', headerNames) }),
  create:
    ({ given }) =>
    (exchange, next) => {
      for (const name of given) exchange.headers.remove(name);
      return next(exchange);
    },
});

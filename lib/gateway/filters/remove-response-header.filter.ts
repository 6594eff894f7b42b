import type { Args } from '../args.js';
import { type HeaderNamesArgs, headerNames } from './header-args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** Takes headers of the answer away: `removeResponseHeader({ names: ['server', 'x-powered-by'] })`. */
export const removeResponseHeader = defineFilter({
  name: 'RemoveResponseHeader',
  read: (args: Args<HeaderNamesArgs>) => ({ given: args.read('names', headerNames) }),
  create: ({ given }) => {
    const ear = ({ response }: GatewayExchange) => {
      for (const name of given) response?.headers.remove(name);
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});

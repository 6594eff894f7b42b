import type { Args } from '../args.js';
import { type HeadersArgs, headerRecord } from './header-args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** Writes headers of the answer, in place of those of the same names: `setResponseHeader({ headers: { server: 'shop' } })`. */
export const setResponseHeader = defineFilter({
  name: 'SetResponseHeader',
  read: (args: Args<HeadersArgs>) => ({ given: args.read('headers', headerRecord) }),
  create: ({ given }) => {
    const ear = ({ response }: GatewayExchange) => {
      for (const [name, value] of given) response?.headers.set(name, value);
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});

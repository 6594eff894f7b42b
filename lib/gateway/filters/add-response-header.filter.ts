import type { Args } from '../args.js';
import { type HeadersArgs, headerRecord } from './header-args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** Adds headers to the answer, beside those of the same names: `addResponseHeader({ headers: { 'x-served-by': 'a' } })`. */
export const addResponseHeader = defineFilter({
  name: 'AddResponseHeader',
  read: (args: Args<HeadersArgs>) => ({ given: args.read('headers', headerRecord) }),
  create: ({ given }) => {
    const ear = ({ response }: GatewayExchange) => {
      for (const [name, value] of given) response?.headers.add(name, value);
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});

import type { Args } from '../args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** Which status an answer gets. */
export interface SetStatusArgs {
  /** From 200 to 599, but 204, 205 and 304, which have no body. */
  readonly status: number;
}

/** Gives every answer another status: `setStatus({ status: 410 })`. */
export const setStatus = defineFilter({
  name: 'SetStatus',
  read: (args: Args<SetStatusArgs>) => {
    const status = args.integer('status', { min: 200, max: 599 });
    if (status === 204 || status === 205 || status === 304)
      args.refuse('status', `is ${status}, which has no body`, 'Choose another.');
    return { status };
  },
  create: ({ status }) => {
    const ear = ({ response }: GatewayExchange) => {
      // An answer without a body cannot become one with.
      if (response && response.status !== 204 && response.status !== 304) response.status = status;
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});

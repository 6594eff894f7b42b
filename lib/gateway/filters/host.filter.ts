import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** Which host an upstream is asked for. */
export interface SetHostArgs {
  /** Such as `orders.example.com` or `10.0.0.7:8080`. */
  readonly host: string;
}

/** Lets the upstream see the host that the client asked for. */
export const preserveHost = defineFilter({
  name: 'PreserveHost',
  read: () => ({}),
  create: () => (exchange, next) => {
    exchange.host = exchange.publicHost;
    return next(exchange);
  },
});

/** Asks the upstream for a host of its own: `setHost({ host: 'orders.example.com' })`. */
export const setHost = defineFilter({
  name: 'SetHost',
  read: (args: Args<SetHostArgs>) => ({
    host: args.text('host', {
      matches: /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i,
      remedy: "Write it like 'orders.example.com'.",
    }),
  }),
  create:
    ({ host }) =>
    (exchange, next) => {
      exchange.host = host;
      return next(exchange);
    },
});

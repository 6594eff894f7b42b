import type { Args } from '../args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';
import { headerNames, type HeaderNamesArgs } from './header-args.js';

/** Which headers are written once, and what with. */
export interface DedupeResponseHeaderArgs extends HeaderNamesArgs {
  /** Of several values the first, the last, or each different one. @default 'first' */
  readonly keep?: 'first' | 'last' | 'unique';
}

/** Leaves one of headers that came several times: `dedupeResponseHeader({ names: 'access-control-allow-origin' })`. */
export const dedupeResponseHeader = defineFilter({
  name: 'DedupeResponseHeader',
  read: (args: Args<DedupeResponseHeaderArgs>) => ({
    names: args.read('names', headerNames),
    keep: args.oneOf('keep', ['first', 'last', 'unique'], 'first'),
  }),
  create: ({ names, keep }) => {
    const ear = ({ response }: GatewayExchange) => {
      for (const name of names) {
        const values = response?.headers.getAll(name) ?? [];
        if (values.length < 2) continue;
        response?.headers.remove(name);
        for (const value of kept(values, keep)) response?.headers.add(name, value);
      }
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});

function kept(values: readonly string[], keep: 'first' | 'last' | 'unique'): Iterable<string> {
  if (keep === 'unique') return new Set(values);
  return keep === 'first' ? values.slice(0, 1) : values.slice(-1);
}

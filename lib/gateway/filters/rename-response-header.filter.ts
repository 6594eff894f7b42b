import type { Args } from '../args.js';
import { type HeaderRenamesArgs, headerRenames } from './header-args.js';
import type { GatewayExchange } from './gateway-exchange.js';
import { defineFilter } from './gateway-filter.js';

/** Gives headers of the answer other names: `renameResponseHeader({ names: { 'x-old': 'x-new' } })`. */
export const renameResponseHeader = defineFilter({
  name: 'RenameResponseHeader',
  read: (args: Args<HeaderRenamesArgs>) => ({ given: args.read('names', headerRenames) }),
  create: ({ given }) => {
    const ear = ({ response }: GatewayExchange) => {
      for (const [from, to] of given) response?.headers.rename(from, to);
    };
    return (exchange, next) => {
      exchange.onResponse(ear);
      return next(exchange);
    };
  },
});

import type { Args } from '../args.js';
import { type HeaderRenamesArgs, headerRenames } from './header-args.js';
import { defineFilter } from './gateway-filter.js';

/** Gives headers of the request other names: `renameRequestHeader({ names: { 'x-old': 'x-new' } })`. */
export const renameRequestHeader = defineFilter({
  name: 'RenameRequestHeader',
  read: (args: Args<HeaderRenamesArgs>) => ({ given: args.read('names', headerRenames) }),
  create:
    ({ given }) =>
    (exchange, next) => {
      for (const [from, to] of given) exchange.headers.rename(from, to);
      return next(exchange);
    },
});

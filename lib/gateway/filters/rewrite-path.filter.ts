import { refuse } from '../../common/option-readers.js';
import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';

/** How a path is rewritten. */
export interface RewritePathArgs {
  /** A regular expression, such as `^/red/(?<rest>.*)`. It should hold an anchor, and be simple: it runs for each request. */
  readonly pattern: string | RegExp;
  /** What stands in place of what it finds: `/$<rest>`, `/$1`. */
  readonly replacement: string;
}

/** Rewrites the path by a regular expression: `{ pattern: '^/red/(.*)', replacement: '/$1' }`. */
export const rewritePath = defineFilter({
  name: 'RewritePath',
  read: (args: Args<RewritePathArgs>) => ({
    pattern: args.expression('pattern'),
    replacement: args.read('replacement', (value, path) =>
      typeof value === 'string' ? value : refuse(path, 'is no text', "Write it like '/$1'."),
    ),
  }),
  create:
    ({ pattern, replacement }) =>
    (exchange, next) => {
      const path = exchange.path.replace(pattern, replacement);
      exchange.path = path.startsWith('/') ? path : `/${path}`;
      return next(exchange);
    },
});

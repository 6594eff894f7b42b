import { messageOf } from '../../common/errors.js';
import { canFill, parsePath } from '../../discovery/manifest/path-pattern.js';
import type { Args } from '../args.js';
import { compileRewrite } from '../routes/path-rewrite.js';
import { RouteMatcher } from '../routes/route-matcher.js';
import type { PathRewrite } from '../routes/path-rewrite.js';
import { defineFilter } from './gateway-filter.js';

/** What a path becomes. */
export interface SetPathArgs {
  /** In Nest's syntax, with parameters of the route's path: `/v2/:id`. */
  readonly path: string;
}

/** Gives the upstream another path, made of the requested one's parameters: what `rewrite` is to a route. */
export const setPath = defineFilter({
  name: 'SetPath',
  read: (args: Args<SetPathArgs>) => {
    const path = args.text('path');
    try {
      return { path, target: parsePath(path), refuse: refuserOf(args) };
    } catch (error) {
      return args.refuse('path', 'cannot be understood', messageOf(error));
    }
  },
  create: ({ path, target, refuse }, { route }) => {
    const pattern = parsePath(route.path);
    if (!canFill(target, pattern))
      refuse(`is '${path}', for which '${route.path}' lacks parameters`);
    const rewrites = new RouteMatcher<{ readonly rewrite: PathRewrite | undefined }>();
    for (const variant of pattern.variants)
      rewrites.add(
        { method: 'ALL', host: '', variant },
        { rewrite: compileRewrite(variant, target) },
      );
    return (exchange, next) => {
      const found = rewrites.find('ALL', exchange.path, '');
      if (found?.rewrite) exchange.path = found.rewrite(exchange.path);
      return next(exchange);
    };
  },
});

function refuserOf(args: Args<SetPathArgs>): (problem: string) => void {
  return (problem) =>
    args.refuse(
      'path',
      problem,
      'Use the same names, and braces in both; it stands before other filters of paths.',
    );
}

import type { RouteConflict } from './routes/route-claims.js';

/** What a new table of routes brings. */
export interface RoutesChange {
  /** How many routes there are now. */
  readonly count: number;
  /** The ids of those that were not there before. */
  readonly added: readonly string[];
  /** The ids of those that are there no longer. */
  readonly removed: readonly string[];
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** The gateway serves another set of routes than before. */
    'routes.changed': RoutesChange;
    /** A service wants a path that belongs to another; its route is not served. */
    'route.conflicted': { readonly conflict: RouteConflict };
  }
}

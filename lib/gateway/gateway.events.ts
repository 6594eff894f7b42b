import type { RouteConflict } from './routes/route-claims.js';

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** The gateway serves another set of routes than before. */
    'routes.changed': {
      /** How many there are now. */
      readonly count: number;
      /** Ids. */
      readonly added: readonly string[];
      readonly removed: readonly string[];
    };
    /** A service wants a path that belongs to another; its route is not served. */
    'route.conflicted': { readonly conflict: RouteConflict };
  }
}

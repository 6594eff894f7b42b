import type { RequestScope } from '../common/request-context.js';
import type { Endpoint } from '../load-balancing/endpoint.js';
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

/** A request that was led to a service, or was to be; times in ms. */
export interface ProxiedRequest {
  readonly method: string;
  /** What the client was answered; 499 when it had gone. */
  readonly status: number;
  readonly route: { readonly id: string; readonly path: string };
  /** The service's name, or the origin. */
  readonly upstream: string;
  /** The endpoint of the last try, if there was one. */
  readonly endpoint: Endpoint | undefined;
  readonly attempts: number;
  /** When it came, as the clock counts. */
  readonly startedAt: number;
  readonly duration: number;
  /** How long the head of the answer took; 0 when none came. */
  readonly timeToFirstByte: number;
  readonly scope: RequestScope;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** The gateway serves another set of routes than before. */
    'routes.changed': RoutesChange;
    /** A request has gone its way through the gateway. The event is the exchange itself: read it at once, keep nothing. */
    'request.proxied': ProxiedRequest;
    /** A service wants a path that belongs to another; its route is not served. */
    'route.conflicted': { readonly conflict: RouteConflict };
  }
}

import type { RequestScope } from '../common/request-context.js';
import type { Endpoint } from '../load-balancing/endpoint.js';
import type { RouteConflict } from './routes/route-claims.js';
import type { Route } from './routes/route.js';

/** What a new table of routes brings. */
export interface RoutesChange {
  /** How many routes there are now. */
  readonly count: number;
  /** The ids of those that were not there before. */
  readonly added: readonly string[];
  /** The ids of those that are there no longer. */
  readonly removed: readonly string[];
}

/** A request that a route took, when it is over; a listener reads it at once and keeps nothing of it. */
export interface ProxiedRequest {
  readonly method: string;
  /** The target as the client wrote it; its query may hold secrets. */
  readonly url: string;
  /** What the client was answered; 499 when it had left, 101 for a tunnel that was open. */
  readonly status: number;
  readonly route: Pick<Route, 'id' | 'path' | 'to' | 'metadata'>;
  /** The service's name, or the origin. */
  readonly upstream: string;
  /** Who was asked last; undefined when nobody was. */
  readonly endpoint: Endpoint | undefined;
  /** How many endpoints were asked. */
  readonly attempts: number;
  /** When it came, in ms of the clock. */
  readonly startedAt: number;
  /** From its head to the last byte that was written for its client, in ms. */
  readonly duration: number;
  /** From its head to that of the upstream's answer, in ms; -1 when none came. */
  readonly timeToFirstByte: number;
  /** Why its call failed; empty when it did not. */
  readonly reason: string;
  readonly scope: RequestScope;
}

/** A request that was not let in at the door of its route. */
export interface RefusedRequest {
  readonly route: Pick<Route, 'id' | 'path' | 'to' | 'metadata'>;
  readonly method: string;
  readonly status: number;
  /** Why; it may name the sender, and is not for clients. */
  readonly reason: string;
  /** The client's address, behind trusted proxies. */
  readonly clientAddress: string;
  readonly scope: RequestScope;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** The gateway serves another set of routes than before. */
    'routes.changed': RoutesChange;
    /** A request that a route took is over. */
    'request.proxied': ProxiedRequest;
    /** A request was not let in: nobody knows its sender, it may not, or comes too often. */
    'request.refused': RefusedRequest;
    /** A service wants a path that belongs to another; its route is not served. */
    'route.conflicted': { readonly conflict: RouteConflict };
  }
}

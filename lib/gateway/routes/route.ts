import type { RouteDoor } from '../door/route-door.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { TimeoutSettings } from './route-timeouts.js';
import type { Upstream } from '../../upstream/upstream.js';
import type { NextFilter } from '../filters/gateway-filter.js';
import type { RoutePredicate } from '../predicates/route-predicate.js';

/** A predicate with the name that people know it by. */
export interface NamedPredicate {
  readonly name: string;
  readonly test: RoutePredicate;
}

/** A route, compiled: everything a request needs to know, found out beforehand. */
export interface Route {
  readonly id: string;
  /** The public path as it was written; what logs and metrics name a request by. */
  readonly path: string;
  /** In capitals; empty for all. */
  readonly methods: readonly string[];
  /** In small letters; empty for all. */
  readonly hosts: readonly string[];
  /** The service's name, or the origin. */
  readonly to: string;
  readonly order: number;
  readonly source: 'explicit' | 'discovered' | 'fallback';
  readonly upstream: Upstream;
  /** How long the answer's head may take, in ms; 0 is for ever. */
  readonly timeout: number;
  /** The most bytes of a request's body; 0 is without limit. */
  readonly bodyLimit: number;
  readonly timeouts: TimeoutSettings;
  /** Whether the upstream sees the host that the client asked for. */
  readonly keepHost: boolean;
  /** Which endpoints have it, while a service is being rolled out; undefined when all have. */
  readonly accepts: ((endpoint: Endpoint) => boolean) | undefined;
  /** Whether a path of the upstream leads to a handler that is not public; undefined when none does. */
  readonly hides: ((path: string) => boolean) | undefined;
  /** What a request must pass beside path, method and host; undefined when nothing. */
  readonly predicates: readonly NamedPredicate[] | undefined;
  /** What a request must pass before any filter; undefined when nothing. */
  readonly door: RouteDoor | undefined;
  /** Its guards and filters, linked; undefined when it has none. */
  readonly filters: NextFilter | undefined;
  /** Their names, in their order. */
  readonly filterNames: readonly string[];
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

import type { Duration } from '../../common/duration.js';
import type { RouteAccess } from '../door/route-access.js';
import type { RouteTimeouts } from './route-timeouts.js';
import type { FilterSpec } from '../filters/gateway-filter.js';
import type { RouteGuard } from '../filters/guard.filter.js';
import type { PredicateSpec } from '../predicates/route-predicate.js';

/** A route as it is written: which requests, and where to. */
export interface RouteDefinition extends RouteAccess {
  /** A name for logs, metrics and people. @default the method and the path, `GET /api/orders/:id` */
  readonly id?: string;
  /** The public path in Nest's syntax: `/orders/:id`, `/files/{*rest}`. Slashes at the end count for nothing; case counts. */
  readonly path: string;
  /** The methods; `HEAD` follows `GET`. @default all */
  readonly method?: string | readonly string[];
  /** The hosts: `shop.example.com` or `*.example.com`, without a port. The upstream then sees the public host. @default all */
  readonly host?: string | readonly string[];
  /** A service's name, `orders`, or the origin of a server outside of discovery, `http://10.0.0.9:8080`. */
  readonly to: string;
  /** The upstream's path, with parameters of the public one: `/v2/{*rest}`. @default the path as requested */
  readonly rewrite?: string;
  /** What to take from the front of the path, such as `/api`. Not beside `rewrite`. @default nothing */
  readonly stripPrefix?: string;
  /** How long the answer's head may take. @default the gateway's `timeout` */
  readonly timeout?: Duration;
  /** How long the other parts of a request may take. @default the gateway's `timeouts` */
  readonly timeouts?: RouteTimeouts;
  /** The most bytes of a body; 0 is without limit. @default the gateway's `limits.body` */
  readonly bodyLimit?: number;
  /** Routes with a lower number are looked at first; of equal numbers the more specific path wins. @default 0 */
  readonly order?: number;
  /** What a request must pass beside path, method and host: `[header({ name: 'x-beta' })]`. @default nothing */
  readonly predicates?: readonly PredicateSpec[];
  /** What is done to requests and answers, in this order, after the gateway's own filters. @default nothing */
  readonly filters?: readonly FilterSpec[];
  /** Nest guards, run before all filters over the raw request; what they refuse is answered 403. @default none */
  readonly guards?: readonly RouteGuard[];
  /** Which of the service's instances get its requests. @default all */
  readonly subset?: RouteSubset;
  /** Plain data for filters and people. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** Instances that are told apart by what they registered. */
export interface RouteSubset {
  /** A range of versions: `2.x`, `>=1.2 <3`. An instance without a version is in none. @default all */
  readonly version?: string;
  readonly zone?: string;
  /** Metadata that an instance must have. @default none */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A route that a service published about itself. */
export interface DiscoveredRoute extends RouteDefinition {
  readonly id: string;
  /** Of the service's instances, the manifests that have this route; absent when all of them have it. */
  readonly digests?: ReadonlySet<string>;
  /** The service's own paths that it must not lead to: their handlers are not public. */
  readonly hides?: readonly string[];
}

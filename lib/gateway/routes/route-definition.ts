import type { Duration } from '../../common/duration.js';

/** A route as it is written: which requests, and where to. */
export interface RouteDefinition {
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
  /** Routes with a lower number are looked at first; of equal numbers the more specific path wins. @default 0 */
  readonly order?: number;
  /** Plain data for filters and people. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** A route that a service published about itself. */
export interface DiscoveredRoute extends RouteDefinition {
  readonly id: string;
  /** Of the service's instances, the manifests that have this route; absent when all of them have it. */
  readonly digests?: ReadonlySet<string>;
  /** The service's own paths that it must not lead to: their handlers are not public. */
  readonly hides?: readonly string[];
}

import type { Duration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  list,
  made,
  oneOf,
  type OptionReader,
  optional,
  record,
  refuse,
  textOf,
} from '../common/option-readers.js';
import type { Definition } from './definition.js';
import { cidr } from './door/cidr.reader.js';
import { type GatewaySecurityOptions, readSecurity } from './door/security.options.js';
import type { FilterSpec, GatewayFilter } from './filters/gateway-filter.js';
import type { RouteGuard } from './filters/guard.filter.js';
import type { RoutePredicate } from './predicates/route-predicate.js';
import type { RouteDefinition } from './routes/route-definition.js';
import { readFilters, readGuards, readRoute } from './routes/route-reader.js';
import { type RouteTimeouts, TIMEOUTS } from './routes/route-timeouts.js';
import { RouteSource } from './routes/route-source.js';

/** What a user may set of the gateway. */
export interface GatewayOptions {
  /** Routes written by hand; they stand before what services say about themselves. @default none */
  readonly routes?: readonly RouteDefinition[];
  /** Filters for all routes, explicit and discovered; a route's own come after them. @default none */
  readonly filters?: readonly FilterSpec[];
  /** Nest guards for all routes; a route's own come after them. @default none */
  readonly guards?: readonly RouteGuard[];
  /** Filters and predicates of your own that configuration may name. @default none */
  readonly extensions?: readonly GatewayExtension[];
  /** Further sources of routes, made in code; several and the options' own routes are served side by side. @default none */
  readonly sources?: readonly RouteSource[];
  /** The routes that services publish with `@GatewayRoute`. */
  readonly discovery?: GatewayDiscoveryOptions;
  /** What happens when two services want the same place. */
  readonly routeConflictPolicy?: {
    /**
     * The first owner keeps it in any case and the other is not served; `error` makes the gateway's health `degraded`,
     * `warn` only says so. @default 'error'
     */
    readonly duplicate?: 'error' | 'warn';
    /**
     * Routes of different services that can match the same request, such as `/orders/export` and `/orders/:id`: the more
     * specific one answers in any case; `warn` says so, `error` makes the gateway's health `degraded` as well. @default 'off'
     */
    readonly shadow?: 'error' | 'warn' | 'off';
  };
  /**
   * Of explicit routes with the same `order`: the most specific first, or the first written. Of discovered ones it is
   * always the most specific. @default 'specificity'
   */
  readonly routeResolutionStrategy?: 'specificity' | 'declaration';
  /** How long the head of an answer may take; 0 is for ever. @default '10s' */
  readonly timeout?: Duration;
  readonly timeouts?: GatewayTimeouts;
  readonly limits?: GatewayLimits;
  /** How much routes with the filter `responseCache` keep, all together. */
  readonly responseCache?: GatewayCacheOptions;
  /**
   * Addresses or CIDR blocks of proxies before this one, such as `['10.0.0.0/8']`; what they say in `X-Forwarded-*`
   * and `Forwarded` is kept. From everyone else it is deleted. A number says how many proxies stand before this one when
   * their addresses are not known; then nobody may come past them. @default none
   */
  readonly trustedProxies?: readonly string[] | number;
  /** Who is let in, and how often. @default everyone may use what is public */
  readonly security?: GatewaySecurityOptions;
  /** Whether to write a line of JSON to standard output for each proxied request, as pino would. @default false */
  readonly accessLog?: boolean;
  /**
   * Whether plain requests, on routes without filters, guards and a door, may go past Node's own request and response, for a third to a
   * half less CPU time. It stands back by itself on TLS servers, for connections on which anything else comes, and where
   * somebody listens to every request: a second `request` listener, an observer, a tracer on `node:http`. Switch it off if
   * something else must see all requests as Node has them. @default true
   */
  readonly fastLane?: boolean;
}

/** What `defineFilter` or `definePredicate` gave. */
export interface GatewayExtension {
  readonly definition: Definition<GatewayFilter> | Definition<RoutePredicate>;
}

/** What a user may set of the routes that come from discovery. */
export interface GatewayDiscoveryOptions {
  /** @default true */
  readonly enabled?: boolean;
  /**
   * Makes every service reachable below its name, decorated or not: `/` gives `/orders/{*rest}`, `/services` gives
   * `/services/orders/{*rest}`. Behind all other routes. @default none
   */
  readonly servicePrefix?: string;
  /** The services whose routes are served. @default all */
  readonly include?: readonly string[];
  /** The services whose routes are not served. @default none */
  readonly exclude?: readonly string[];
  /** Paths that belong to a service with all below them, whoever was first: `{ auth: ['/login', '/auth'] }`. @default none */
  readonly claims?: Readonly<Record<string, readonly string[]>>;
  /** How long requests for a service that left the registry are answered 503 before its paths are unknown. @default '1m' */
  readonly hold?: Duration;
}

/** How long clients and requests may take; how long services may take is said to `UpstreamModule`. 0 is for ever. */
export interface GatewayTimeouts extends RouteTimeouts {
  /** How long the head of a request may take to come. @default '10s', unless the HTTP server was given its own */
  readonly head?: Duration;
  /** How long a whole request may take to come, its body included. @default what the HTTP server says */
  readonly request?: Duration;
}

/** How much a request may hold. */
export interface GatewayLimits {
  /** The most bytes of a body; 0 is without limit. Bodies are streamed, never kept. @default 1048576, 1 MiB */
  readonly body?: number;
  /**
   * The most bytes of a head. Node's own limit, 16 KiB unless `--max-http-header-size` says otherwise, comes first.
   * @default 16384, 16 KiB
   */
  readonly head?: number;
  /** The most characters of a target, path and query together; a longer one is answered 414. @default 8192 */
  readonly url?: number;
  /** The most WebSockets at a time; further ones are answered 503. @default 10000 */
  readonly webSockets?: number;
  /** Whether `%2F` may be in a path; routes and upstreams must then agree on what it means. @default false */
  readonly encodedSlash?: boolean;
}

/** The memory of the response cache; answers that were not asked for the longest go first. */
export interface GatewayCacheOptions {
  /** The most bytes of bodies and heads. @default 67108864, 64 MiB */
  readonly bytes?: number;
  /** The most answers; 0 keeps none. @default 10000 */
  readonly responses?: number;
}

const MIB = 1 << 20;

function isRouteSource(value: unknown): value is RouteSource {
  return value instanceof RouteSource;
}

/** Blocks of addresses, or how many proxies there are. */
const proxies: OptionReader<readonly string[] | number> = (value, path) =>
  typeof value === 'number'
    ? integer(0, { min: 1, max: 16 })(value, path)
    : list(cidr)(value, path);

const readClaims: OptionReader<Readonly<Record<string, readonly string[]>>> = (value, path) => {
  const claims = record(list(textOf({ matches: /^\//, remedy: "Begin it with '/'." })))(
    value,
    path,
  );
  const owners = new Map<string, string>();
  for (const [service, paths] of Object.entries(claims)) {
    for (const claimed of paths) {
      const owner = owners.get(claimed) ?? service;
      if (owner !== service)
        refuse(
          `${path}.${service}`,
          `has '${claimed}' as ${path}.${owner} has`,
          'Keep one of them.',
        );
      owners.set(claimed, service);
    }
  }
  return claims;
};

function isExtension(value: unknown): value is GatewayExtension {
  const { definition } = (value ?? {}) as Partial<GatewayExtension>;
  return typeof definition?.make === 'function';
}

const extensionsReader: OptionReader<{
  readonly filters: readonly Definition<GatewayFilter>[];
  readonly predicates: readonly Definition<RoutePredicate>[];
}> = (value, path) => {
  const read = list(made(isExtension, 'made by defineFilter or definePredicate'));
  const all = read(value, path).map(({ definition }) => definition);
  return {
    filters: all.filter((each): each is Definition<GatewayFilter> => each.kind === 'filter'),
    predicates: all.filter((each): each is Definition<RoutePredicate> => each.kind === 'predicate'),
  };
};

/** Checks the options of the gateway. */
export const readGatewayOptions = group({
  routes: list(readRoute),
  filters: readFilters,
  guards: readGuards,
  extensions: extensionsReader,
  sources: list(made(isRouteSource, 'an instance of a class that extends RouteSource')),
  discovery: group({
    enabled: flag(true),
    servicePrefix: optional(
      textOf({ matches: /^\/[\w/-]*$/, remedy: "Write it like '/services'." }),
    ),
    include: optional(list(textOf())),
    exclude: list(textOf()),
    claims: readClaims,
    hold: duration('1m'),
  }),
  routeConflictPolicy: group({
    duplicate: oneOf(['error', 'warn'], 'error'),
    shadow: oneOf(['error', 'warn', 'off'], 'off'),
  }),
  routeResolutionStrategy: oneOf(['specificity', 'declaration'], 'specificity'),
  timeout: duration('10s'),
  timeouts: group({ ...TIMEOUTS, head: optional(duration(0)), request: optional(duration(0)) }),
  limits: group({
    body: integer(MIB, { min: 0 }),
    head: integer(16_384, { min: 256 }),
    url: integer(8_192, { min: 64 }),
    webSockets: integer(10_000, { min: 0 }),
    encodedSlash: flag(false),
  }),
  trustedProxies: proxies,
  security: readSecurity,
  responseCache: group({
    bytes: integer(64 * MIB, { min: 0 }),
    responses: integer(10_000, { min: 0 }),
  }),
  accessLog: flag(false),
  fastLane: flag(true),
});

/** The gateway's options, checked, with defaults. */
export type GatewaySettings = ReturnType<typeof readGatewayOptions>;

/** The injection token of the gateway's settings. */
export const GATEWAY_SETTINGS = Symbol('GATEWAY_SETTINGS');

import { isIP } from 'node:net';
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
import type { RouteDefinition } from './routes/route-definition.js';
import { RouteSource } from './routes/route-source.js';

/** What a user may set of the gateway. */
export interface GatewayOptions {
  /** Routes written by hand; they stand before what services say about themselves. @default none */
  readonly routes?: readonly RouteDefinition[];
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
  };
  /** How long the head of an answer may take; 0 is for ever. @default '10s' */
  readonly timeout?: Duration;
  readonly limits?: GatewayLimits;
  /**
   * Addresses or CIDR blocks of proxies before this one, such as `['10.0.0.0/8']`; what they say in `X-Forwarded-*`
   * and `Forwarded` is kept. From everyone else it is deleted. @default none
   */
  readonly trustedProxies?: readonly string[];
  /** Whether to write a line of JSON to standard output for each proxied request, as pino would. @default false */
  readonly accessLog?: boolean;
}

/** What a user may set of the routes that come from discovery. */
export interface GatewayDiscoveryOptions {
  /** @default true */
  readonly enabled?: boolean;
  /** The services whose routes are served. @default all */
  readonly include?: readonly string[];
  /** The services whose routes are not served. @default none */
  readonly exclude?: readonly string[];
  /** Paths that belong to a service with all below them, whoever was first: `{ auth: ['/login', '/auth'] }`. @default none */
  readonly claims?: Readonly<Record<string, readonly string[]>>;
  /** How long requests for a service that left the registry are answered 503 before its paths are unknown. @default '1m' */
  readonly hold?: Duration;
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
  /** Whether `%2F` may be in a path; routes and upstreams must then agree on what it means. @default false */
  readonly encodedSlash?: boolean;
}

const MIB = 1 << 20;

/** One text or several, as a list. */
const texts: OptionReader<readonly string[]> = (value, path) =>
  value === undefined || Array.isArray(value)
    ? list(textOf())(value, path)
    : [textOf()(value, path)];

const scalar: OptionReader<string | number | boolean> = (value, path) => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return refuse(path, 'is no plain value', 'Make it a text, a number, true or false.');
};

/** Reads an explicit route; its paths are understood later, by the compiler. */
const routeReader = group({
  id: optional(textOf()),
  path: textOf({ matches: /^\//, remedy: "Begin it with '/'." }),
  method: texts,
  host: texts,
  to: textOf(),
  rewrite: optional(textOf({ matches: /^\//, remedy: "Begin it with '/'." })),
  stripPrefix: optional(textOf({ matches: /^\//, remedy: "Begin it with '/'." })),
  timeout: optional(duration(0)),
  order: integer(0),
  metadata: record(scalar),
});

function isRouteSource(value: unknown): value is RouteSource {
  return value instanceof RouteSource;
}

const cidr: OptionReader<string> = (value, path) => {
  const text = textOf()(value, path);
  const [address = '', bits, more] = text.split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  const isBlock = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (isIP(address) === 0 || !isBlock || more !== undefined)
    refuse(path, `is '${text}'`, "Write an address or a block, such as '10.0.0.0/8'.");
  return text;
};

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

/** Checks the options of the gateway. */
export const readGatewayOptions = group({
  routes: list(routeReader),
  sources: list(made(isRouteSource, 'an instance of a class that extends RouteSource')),
  discovery: group({
    enabled: flag(true),
    include: optional(list(textOf())),
    exclude: list(textOf()),
    claims: readClaims,
    hold: duration('1m'),
  }),
  routeConflictPolicy: group({ duplicate: oneOf(['error', 'warn'], 'error') }),
  timeout: duration('10s'),
  limits: group({
    body: integer(MIB, { min: 0 }),
    head: integer(16_384, { min: 256 }),
    encodedSlash: flag(false),
  }),
  trustedProxies: list(cidr),
  accessLog: flag(false),
});

/** The gateway's options, checked, with defaults. */
export type GatewaySettings = ReturnType<typeof readGatewayOptions>;

/** The injection token of the gateway's settings. */
export const GATEWAY_SETTINGS = Symbol('GATEWAY_SETTINGS');

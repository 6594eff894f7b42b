import { type Duration, formatDuration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  list,
  made,
  number,
  oneOf,
  optional,
  type OptionReader,
  refuse,
  textOf,
} from '../common/option-readers.js';
import type { BuiltInBackend } from './backends/built-in.js';
import type { AddressRuleOptions } from './address-rules.js';
import type { BackendFactory } from './discovery-backend.js';
import { instanceMetadata } from './instance-metadata.js';
import type { TrustedKey } from './registration-signature.js';

/** How a registration is kept alive. */
export interface HeartbeatOptions {
  /** How often this instance says that it is still here. @default a third of the TTL */
  readonly interval?: Duration;
  /** How long the registration outlives its last heartbeat. @default '15s' */
  readonly ttl?: Duration;
}

/** How this instance leaves. */
export interface DrainOptions {
  /**
   * How long peers get to notice that it has left the registry, before connections are closed. Behind a load balancer
   * that asks `/health/ready`, make it longer than two of its rounds.
   * @default '200ms'; nothing when the instance was not registered
   */
  readonly delay?: Duration;
  /** How long leaving may take in all; requests that are still unanswered then are cut off. @default '25s' */
  readonly limit?: Duration;
}

/** What a user may set of discovery; everything has a default. */
export interface DiscoveryOptions {
  /** The service's name, a DNS label: `'orders'`. @default the name given elsewhere, else SERVICE_NAME */
  readonly name?: string;
  /** The service's version. @default the version given elsewhere, else SERVICE_VERSION */
  readonly version?: string;
  /** Where services are registered and found. @default what the environment names, else 'embedded' */
  readonly backend?: BuiltInBackend | BackendFactory;
  /** Keeps systems that share a registry apart. @default DISCOVERY_NAMESPACE, else 'default' */
  readonly namespace?: string;
  /** Whether this application registers itself; `false` only looks. @default true where the backend can */
  readonly register?: boolean;
  /** The address that callers are given. @default POD_IP, HOST_IP, else this machine's first address */
  readonly host?: string;
  /** The port that callers are given. @default the port the HTTP server listens on */
  readonly port?: number;
  /** What the port speaks. @default 'https' for a TLS server, else 'http' */
  readonly scheme?: 'http' | 'https';
  /** Where this instance runs, such as `'eu-west-1a'`; callers prefer their own zone. */
  readonly zone?: string;
  /** Its share of the traffic beside its peers, from 0.01 to 100. @default 1 */
  readonly weight?: number;
  readonly tags?: readonly string[];
  /** Further facts; keys of letters, digits, `_` and `-`; values of at most 512 characters. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly heartbeat?: HeartbeatOptions;
  readonly drain?: DrainOptions;
  /** An interface such as `'eth1'`, or a network such as `'10.0.0.0/8'`, whose address callers are given. @default any */
  readonly network?: string;
  /** Services that must be known before this one is ready for traffic. @default none */
  readonly services?: readonly string[];
  /** Which discovered addresses may be called; link-local ones never are. @default all others */
  readonly allow?: AddressRuleOptions;
  /** A secret of at least 32 characters, or an Ed25519 private key as PEM, that signs this registration. @default none */
  readonly signing?: string;
  /** Whose signatures are believed; registrations without one are left out then. @default nobody's is asked for */
  readonly trust?: readonly TrustedKey[];
  /** How long to doubt a registry that shows several instances one moment and none the next. @default '5s' */
  readonly emptyHold?: Duration;
  /** How long instances are kept that a registry does not show when it is back from an outage. @default the TTL; '100ms' where the processes themselves hold the embedded table */
  readonly returnHold?: Duration;
}

const LABEL = {
  matches: /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  remedy: 'Use lower-case letters, digits and inner hyphens, at most 63.',
};

const readFields = group({
  name: optional(textOf()),
  version: optional(textOf()),
  backend: optional(readBackend()),
  namespace: optional(textOf(LABEL)),
  register: optional(flag(true)),
  host: optional(textOf()),
  port: optional(portNumber()),
  scheme: optional(oneOf(['http', 'https'], 'http')),
  zone: optional(textOf()),
  weight: number(1, { min: 0.01, max: 100 }),
  tags: list(textOf()),
  metadata: instanceMetadata,
  heartbeat: group({
    interval: optional(duration(0, { min: 20 })),
    ttl: duration('15s', { min: 100 }),
  }),
  drain: group({
    delay: optional(duration(0)),
    limit: duration('25s', { min: 100 }),
  }),
  network: optional(textOf()),
  services: list(textOf(LABEL)),
  allow: group({ networks: list(textOf()), ports: list(portOrRange()) }),
  signing: optional(textOf()),
  trust: list(group({ key: textOf(), services: optional(list(textOf(LABEL))) })),
  emptyHold: duration('5s'),
  returnHold: optional(duration(0)),
});

/** The checked options, with their defaults; times in ms. */
export type DiscoverySettings = ReturnType<typeof readDiscoveryOptions>;

/** Under this token the room's providers find their settings. */
export const DISCOVERY_SETTINGS = Symbol('DISCOVERY_SETTINGS');

/** Checks what a user wrote; throws `InvalidOptionsError` with path and remedy. */
export function readDiscoveryOptions(
  options: DiscoveryOptions | undefined,
  env: NodeJS.ProcessEnv = process.env,
) {
  const fields = readFields(options, 'discovery');
  const { interval, ttl } = fields.heartbeat;
  if (interval !== undefined && interval >= ttl)
    refuseInterval({ interval, ttl }, options?.heartbeat);
  return {
    ...fields,
    namespace: fields.namespace ?? namespaceOf(env),
    heartbeat: { ttl, interval: interval ?? ttl / 3 },
  };
}

function refuseInterval(
  { interval, ttl }: { readonly interval: number; readonly ttl: number },
  written: HeartbeatOptions | undefined,
): never {
  const relation = interval > ttl ? 'longer than' : 'as long as';
  refuse(
    'discovery.heartbeat.interval',
    `is ${asWritten(written?.interval, interval)}, ${relation} the TTL of ${asWritten(written?.ttl, ttl)}`,
    `Make it ${formatDuration(ttl / 3)}, or leave it out.`,
  );
}

/** People look for what they wrote: 60s, not 1m. */
function asWritten(written: Duration | undefined, ms: number): string {
  return typeof written === 'string' ? written : formatDuration(ms);
}

function namespaceOf(env: NodeJS.ProcessEnv): string {
  return textOf(LABEL)(env['DISCOVERY_NAMESPACE'] || 'default', 'DISCOVERY_NAMESPACE');
}

function portOrRange(): OptionReader<number | string> {
  return made(
    (value) => typeof value === 'number' || typeof value === 'string',
    "a port such as 3000, or a range such as '3000-3999'",
  );
}

function portNumber(): OptionReader<number> {
  return (value, path) => {
    const isPort = typeof value === 'number' && Number.isInteger(value) && value > 0;
    if (!isPort || value > 65_535) {
      refuse(path, `is ${JSON.stringify(value)}, not a port`, 'Give a number from 1 to 65535.');
    }
    return value;
  };
}

function readBackend(): OptionReader<BuiltInBackend | BackendFactory> {
  const named = oneOf(
    ['memory', 'embedded', 'consul', 'etcd', 'redis', 'kubernetes', 'eureka'],
    'embedded',
  );
  return (value, path) =>
    typeof value === 'string'
      ? named(value, path)
      : made(isFactory, "a name such as 'consul', or a backend such as consul({ … })")(value, path);
}

function isFactory(value: unknown): value is BackendFactory {
  return typeof value === 'function';
}

import type { Duration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  list,
  number,
  oneOf,
  optional,
  type OptionReader,
  record,
  refuse,
  type Settings,
  textOf,
} from '../common/option-readers.js';
import type { OutlierSettings } from '../load-balancing/outlier-detector.js';
import { type OutlierOptions, outlierSettings } from '../load-balancing/outlier.options.js';
import {
  STRATEGIES,
  type StrategyFactory,
  type StrategyName,
} from '../load-balancing/strategies/built-in.js';
import type { CircuitOptions } from '../resilience/circuit-view.js';
import type { SubsetOptions } from '../load-balancing/subset.js';
import type { ConcurrencySettings } from './concurrency-limit.js';
import type { RetrySettings } from './retries.js';
import type { TlsIdentity } from './transport.js';
import { type CircuitSettings, circuitSettings } from '../resilience/circuit.options.js';

/** How long each part of a call may take. */
export interface UpstreamTimeouts {
  /** Until a connection is made, TLS included; also until the service's instances are first known. @default '1s' */
  readonly connect?: Duration;
  /** From the end of the request to the end of the answer's head; 0 is for ever. @default '10s' */
  readonly response?: Duration;
  /** The longest pause within a body, either way; 0 is for ever. @default '30s' */
  readonly idle?: Duration;
  /** How long a connection that nobody uses is kept; Node's own servers keep theirs for 5 s. @default '4s' */
  readonly keepAlive?: Duration;
}

/** When a call is tried again on another instance. */
export interface RetryOptions {
  /**
   * How many of 100 calls may be sent again, so that retries cannot bury a service; 30 are saved up at most. Tries whose
   * connection failed are not counted. @default 20
   */
  readonly budget?: number;
  /** How often a call of which something was sent is sent anew. @default 1 */
  readonly attempts?: number;
  /**
   * The answers after which a safe request without a body goes to another instance; one with `Retry-After` is passed on.
   * @default [502, 503, 504]
   */
  readonly statuses?: readonly number[];
  /**
   * After how long a safe request leaves an instance that has answered nobody since it came, though other instances
   * answer, and take less than a fifth of that: it is frozen, or cut off. At most half of the response time-out; 0 is
   * never. @default '1s'
   */
  readonly silence?: Duration;
}

/** How many calls may wait for the answers of a service at a time; the limit finds itself. */
export interface ConcurrencyOptions {
  /** Below so many no call is refused, nor below 8 for each instance. @default 32 */
  readonly min?: number;
  /** The limit to begin with, and the most. @default 4096 */
  readonly max?: number;
  /** How many times longer than usual answers may take before the limit shrinks. @default 2 */
  readonly tolerance?: number;
  /**
   * While answers take no longer than this, and no queue grows that would make them, no call is refused. Time in which
   * the caller's own process stood still does not count. @default '200ms'
   */
  readonly latency?: Duration;
}

/** When a read is also asked of a second instance. */
export interface HedgeOptions {
  /** How long the first may take; best about as long as 95 of 100 calls take. */
  readonly after: Duration;
}

/** How one service is called. */
export interface UpstreamOptions {
  /**
   * Who gets the next call; a function makes your own, one for each service. `consistentHash` and `stickyBy` make
   * functions. @default 'peak-ewma'
   */
  readonly strategy?: StrategyName | StrategyFactory;
  /** What carries the calls: our own HTTP/1.1 client, or undici, which you install then. @default 'http1' */
  readonly transport?: 'http1' | 'undici';
  /** The most connections to each endpoint. @default 256 */
  readonly connections?: number;
  /** How many calls may wait for a connection; further ones fail at once with 503. @default 1024 */
  readonly pending?: number;
  readonly timeouts?: UpstreamTimeouts;
  /**
   * When a call is tried again on another instance: any call while no byte of it was sent, on three instances at most; and
   * one that may be replayed when its connection broke before an answer, when the answer says that this instance cannot,
   * and when the instance is silent. False is never.
   */
  readonly retry?: RetryOptions | boolean;
  /** How many calls may wait for an answer; further ones fail at once with 503. False is without limit. */
  readonly concurrency?: ConcurrencyOptions | false;
  /** Asks a second instance when the first takes long; only for safe requests by `request` and the clients. @default false */
  readonly hedge?: HedgeOptions | false;
  /** Which instances are called at all. @default every one */
  readonly subset?: SubsetOptions;
  /** Whether instances of the caller's own zone are preferred, as far as they are well. @default true */
  readonly preferZone?: boolean;
  /** In what time a new instance, or one that was ill, comes to its full share; 0 is at once. @default 0 */
  readonly slowStart?: Duration;
  /** Whom to trust where the service speaks https; certificates are always verified. */
  readonly tls?: TlsIdentity;
  /** When to stop calling a service that keeps failing; false is never. */
  readonly circuit?: CircuitOptions | false;
  /** When to leave a failing endpoint alone; false is never. */
  readonly outlier?: OutlierOptions | false;
}

/** What `UpstreamModule.forRoot` takes. */
export interface UpstreamModuleOptions {
  /** For every service. */
  readonly defaults?: UpstreamOptions;
  /** For single services, by name; what is left out is as in `defaults`. */
  readonly services?: Readonly<Record<string, UpstreamOptions>>;
}

/** The token of what `readUpstreamOptions` returned. */
export const UPSTREAM_SETTINGS = Symbol('rookery:upstream-settings');

const TIMEOUTS = {
  connect: duration('1s', { min: 1 }),
  response: duration('10s'),
  idle: duration('30s'),
  keepAlive: duration('4s', { min: 1 }),
};

const PEM = textOf({
  matches: /^-----BEGIN /m,
  remedy: 'Give the text of a PEM file, not its path.',
});

const RETRY = group({
  budget: number(20, { min: 0, max: 100 }),
  attempts: integer(1, { min: 0, max: 2 }),
  statuses: (value: unknown, path: string) =>
    list(integer(0, { min: 500, max: 599 }))(value ?? [502, 503, 504], path),
  silence: duration('1s'),
});

const CONCURRENCY = group({
  min: integer(32, { min: 1 }),
  max: integer(4_096, { min: 1 }),
  tolerance: number(2, { min: 1 }),
  latency: duration('200ms'),
});

const HEDGE = group({ after: duration('1s', { min: 1 }) });

const SUBSET = group({
  version: optional(textOf()),
  metadata: record(textOf()),
  tags: list(textOf()),
  otherwise: oneOf(['none', 'any'], 'none'),
});

const readSubset: OptionReader<SubsetOptions | undefined> = (value, path) => {
  if (value === undefined) return undefined;
  const { version, ...rest } = SUBSET(value, path);
  return version === undefined ? rest : { ...rest, version };
};

const readRetry: OptionReader<RetrySettings | false> = (value, path) =>
  value === false ? false : RETRY(value === true ? undefined : value, path);

const FIELDS = {
  strategy: readStrategy,
  transport: oneOf(['http1', 'undici'], 'http1'),
  connections: integer(256, { min: 1 }),
  pending: integer(1_024, { min: 0 }),
  timeouts: group(TIMEOUTS),
  retry: readRetry,
  concurrency: orFalse<ConcurrencySettings>(CONCURRENCY),
  hedge: (value: unknown, path: string) =>
    value === undefined || value === false ? (false as const) : HEDGE(value, path),
  subset: readSubset,
  preferZone: flag(true),
  slowStart: duration(0),
  tls: group({ ca: optional(PEM), cert: optional(PEM), key: optional(PEM) }),
  circuit: orFalse<CircuitSettings>(circuitSettings),
  outlier: orFalse<OutlierSettings>(outlierSettings),
};

/** The checked options of an upstream, times in ms. */
export type UpstreamSettings = Settings<typeof FIELDS>;

const upstreamSettings = group(FIELDS);

/** Reads `UpstreamModuleOptions`; what it returns gives the settings of each service. */
export function readUpstreamOptions(
  options: UpstreamModuleOptions | undefined,
): (service: string) => UpstreamSettings {
  const { defaults, services } = group({
    defaults: checked,
    services: record(checked),
  })(options, 'upstream');
  const common = upstreamSettings(defaults, 'upstream.defaults');
  const special = new Map(
    Object.entries(services).map(([name, own]) => [
      name,
      upstreamSettings(merge(defaults, own), `upstream.services.${name}`),
    ]),
  );
  return (service) => special.get(service) ?? common;
}

/** Whether any service is called through undici. */
export function usesUndici({ defaults, services = {} }: UpstreamModuleOptions = {}): boolean {
  return [defaults, ...Object.values(services)].some((each) => each?.transport === 'undici');
}

/** Checks options by themselves, so that a complaint names the place where they were written. */
function checked(value: unknown, path: string): UpstreamOptions {
  upstreamSettings(value, path);
  return value ?? {};
}

function merge(defaults: UpstreamOptions, own: UpstreamOptions): UpstreamOptions {
  return {
    ...defaults,
    ...own,
    timeouts: { ...defaults.timeouts, ...own.timeouts },
    tls: { ...defaults.tls, ...own.tls },
    circuit: mergeGroup(defaults.circuit, own.circuit),
    outlier: mergeGroup(defaults.outlier, own.outlier),
    concurrency: mergeGroup(defaults.concurrency, own.concurrency),
    retry: mergeGroup(objectOf(defaults.retry), objectOf(own.retry)),
  };
}

function mergeGroup<T extends object>(
  defaults: T | false | undefined,
  own: T | false | undefined,
): T | false {
  if (own === false || (own === undefined && defaults === false)) return false;
  return Object.assign({}, defaults === false ? undefined : defaults, own);
}

function objectOf<T extends object>(value: T | boolean | undefined): T | false | undefined {
  return value === true ? undefined : value;
}

function orFalse<T>(read: OptionReader<T>): OptionReader<T | false> {
  return (value, path) => (value === false ? false : read(value, path));
}

function readStrategy(value: unknown, path: string): StrategyFactory {
  if (value === undefined) return STRATEGIES['peak-ewma'];
  if (typeof value === 'function') return value as StrategyFactory;
  if (typeof value === 'string' && Object.hasOwn(STRATEGIES, value)) {
    return STRATEGIES[value as StrategyName];
  }
  const names = Object.keys(STRATEGIES).map((name) => `'${name}'`);
  return refuse(path, `is ${JSON.stringify(value)}`, `Make it ${names.join(' or ')}.`);
}

import type { Duration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  oneOf,
  optional,
  type OptionReader,
  record,
  refuse,
  type Settings,
  textOf,
} from '../common/option-readers.js';
import type { OutlierSettings } from '../load-balancing/outlier-detector.js';
import {
  STRATEGIES,
  type StrategyFactory,
  type StrategyName,
} from '../load-balancing/strategies/built-in.js';
import type { CircuitOptions } from '../resilience/circuit.js';
import type { TlsIdentity } from './transport.js';
import { type CircuitSettings, circuitSettings } from '../resilience/resilience.options.js';

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

/** When an endpoint that keeps failing is left alone for a while. */
export interface OutlierOptions {
  /** How many failures in a row eject an endpoint; one that cannot be connected to is ejected at once. @default 5 */
  readonly consecutiveFailures?: number;
  /** How long the first ejection takes; each further one takes twice as long. @default '10s' */
  readonly ejection?: Duration;
  /** The longest an ejection takes. @default '5m' */
  readonly maxEjection?: Duration;
  /**
   * With more than this share of the endpoints ejected for what they answered, in percent, these are candidates again.
   * Those that cannot be connected to do not count, and stay out while there is any other. @default 50
   */
  readonly maxEjected?: number;
}

/** How one service is called. */
export interface UpstreamOptions {
  /** Who gets the next call; a function makes your own, one for each service. @default 'least-request' */
  readonly strategy?: StrategyName | StrategyFactory;
  /** What carries the calls: our own HTTP/1.1 client, or undici, which you install then. @default 'http1' */
  readonly transport?: 'http1' | 'undici';
  /** The most connections to each endpoint. @default 256 */
  readonly connections?: number;
  /** How many calls may wait for a connection; further ones fail at once with 503. @default 1024 */
  readonly pending?: number;
  readonly timeouts?: UpstreamTimeouts;
  /**
   * Whether a call is tried again on another instance: any call while no byte of it was sent, on three instances at
   * most; and, once, one that may be replayed when its connection broke before an answer. @default true
   */
  readonly retry?: boolean;
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

const OUTLIER = {
  consecutiveFailures: integer(5, { min: 1 }),
  ejection: duration('10s', { min: 1 }),
  maxEjection: duration('5m', { min: 1 }),
  maxEjected: integer(50, { min: 0, max: 100 }),
};

const outlierSettings: OptionReader<OutlierSettings> = group(OUTLIER);

const FIELDS = {
  strategy: readStrategy,
  transport: oneOf(['http1', 'undici'], 'http1'),
  connections: integer(256, { min: 1 }),
  pending: integer(1_024, { min: 0 }),
  timeouts: group(TIMEOUTS),
  retry: flag(true),
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
  };
}

function mergeGroup<T extends object>(
  defaults: T | false | undefined,
  own: T | false | undefined,
): T | false {
  if (own === false || (own === undefined && defaults === false)) return false;
  return Object.assign({}, defaults === false ? undefined : defaults, own);
}

function orFalse<T>(read: OptionReader<T>): OptionReader<T | false> {
  return (value, path) => (value === false ? false : read(value, path));
}

function readStrategy(value: unknown, path: string): StrategyFactory {
  if (value === undefined) return STRATEGIES['least-request'];
  if (typeof value === 'function') return value as StrategyFactory;
  if (typeof value === 'string' && Object.hasOwn(STRATEGIES, value)) {
    return STRATEGIES[value as StrategyName];
  }
  const names = Object.keys(STRATEGIES).map((name) => `'${name}'`);
  return refuse(path, `is ${JSON.stringify(value)}`, `Make it ${names.join(' or ')}.`);
}

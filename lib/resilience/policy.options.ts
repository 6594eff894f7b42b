import type { Duration } from '../common/duration.js';
import {
  duration,
  group,
  integer,
  made,
  number,
  optional,
  type OptionReader,
  refuse,
} from '../common/option-readers.js';
import { circuitSettings, type CircuitSettings } from './circuit.options.js';
import type { CircuitOptions } from './circuit-view.js';
import type { BulkheadSettings } from './policies/bulkhead.policy.js';
import type { CacheSettings } from './policies/cache.policy.js';
import type { RateLimitSettings } from './policies/rate-limiter.policy.js';
import type { RetryPolicySettings } from './policies/retry.policy.js';

/** How long a call may take. */
export interface TimeoutPolicyOptions {
  /** All of it, every retry and wait included; 0 is for ever. @default '10s' */
  readonly total?: Duration;
  /** Each attempt; 0 is for ever. @default 0 */
  readonly attempt?: Duration;
}

/** When a call that failed is made again. Only say so for what may be done twice. */
export interface RetryPolicyOptions {
  /** How often, beside the first time. @default 2 */
  readonly attempts?: number;
  /** The waits are random between nothing and a limit that doubles from `first` to `most`; `Retry-After` goes before. */
  readonly backoff?: {
    /** @default '100ms' */
    readonly first?: Duration;
    /** @default '5s' */
    readonly most?: Duration;
  };
  /** How many of 100 calls may be made again; 30 are saved up at most. @default 20 */
  readonly budget?: number;
  /** Which errors are worth it. @default all without a status, and 408, 429 and 5xx */
  readonly when?: (error: unknown) => boolean;
}

/** A circuit breaker around a function. */
export interface CircuitPolicyOptions extends CircuitOptions {
  /** Errors that do not count as failures. @default those with a status of 4xx */
  readonly ignore?: (error: unknown) => boolean;
}

/** How many calls run at a time. */
export interface BulkheadOptions {
  /** @default 10 */
  readonly concurrency?: number;
  /** How many may wait; further ones are refused at once. @default 0 */
  readonly queue?: number;
  /** How long one may wait. @default '1s' */
  readonly maxWait?: Duration;
}

/** How often calls may come. */
export interface RateLimitOptions {
  /** How many at once, and in each such time. */
  readonly calls: number;
  /** @default '1s' */
  readonly per?: Duration;
}

/** What is kept of earlier calls. */
export interface CacheOptions {
  /** How long a value is kept. */
  readonly for: Duration;
  /** How many values are kept. @default 1000 */
  readonly size?: number;
}

/**
 * How a function is called. What is left out is not done, but for the total time-out and the circuit, which are on unless
 * they are `false`.
 *
 * The order is always the same, from the outside in: fallback, cache, rate limit, bulkhead, total time-out, retry, circuit,
 * time-out of an attempt.
 */
export interface PolicyOptions {
  /** A duration is the total. @default '10s' */
  readonly timeout?: Duration | TimeoutPolicyOptions | false;
  /** A number is that of the attempts beside the first. @default false */
  readonly retry?: number | RetryPolicyOptions | false;
  /** @default on, with the defaults of a circuit */
  readonly circuit?: CircuitPolicyOptions | boolean;
  /** A number is the concurrency. @default false */
  readonly bulkhead?: number | BulkheadOptions | false;
  /** @default false */
  readonly rateLimit?: RateLimitOptions | false;
  /** @default false */
  readonly cache?: CacheOptions | Duration | false;
}

/** Checked options of a policy, times in ms. */
export interface PolicySettings {
  readonly timeout: { readonly total: number; readonly attempt: number };
  readonly retry: RetryPolicySettings | false;
  readonly circuit: CircuitSettings | false;
  readonly ignore: (error: unknown) => boolean;
  readonly bulkhead: BulkheadSettings | false;
  readonly rateLimit: RateLimitSettings | false;
  readonly cache: CacheSettings | false;
}

type Test = (error: unknown) => boolean;
const isTest = (value: unknown): value is Test => typeof value === 'function';

const TIMEOUT = group({ total: duration('10s'), attempt: duration(0) });
const RETRY = group({
  attempts: integer(2, { min: 0, max: 20 }),
  backoff: group({ first: duration('100ms', { min: 1 }), most: duration('5s', { min: 1 }) }),
  budget: number(20, { min: 0, max: 100 }),
  when: optional(made(isTest, 'a function of the error')),
});
const BULKHEAD = group({
  concurrency: integer(10, { min: 1 }),
  queue: integer(0, { min: 0 }),
  maxWait: duration('1s', { min: 1 }),
});
const needed =
  <T>(read: OptionReader<T>, remedy: string): OptionReader<T> =>
  (value, path) =>
    value === undefined ? refuse(path, 'is missing', remedy) : read(value, path);
const RATE = group({
  calls: needed(integer(1, { min: 1 }), 'Say how many calls may come.'),
  per: duration('1s', { min: 1 }),
});
const CACHE = group({
  for: needed(duration('1s', { min: 1 }), "Say how long a value is kept, like '5s'."),
  size: integer(1_000, { min: 1 }),
});

const FIELDS = group({
  timeout: either<{ total: number; attempt: number }>(TIMEOUT, (value) => ({ total: value })),
  retry: orFalse(either(RETRY, (value) => ({ attempts: value }))),
  circuit: readCircuit,
  bulkhead: orFalse(either(BULKHEAD, (value) => ({ concurrency: value }))),
  rateLimit: orFalse(RATE),
  cache: orFalse(either(CACHE, (value) => ({ for: value }))),
});

/** Reads `PolicyOptions`. */
export const policySettings: OptionReader<PolicySettings> = (value, path) => {
  const { timeout, circuit, ...rest } = FIELDS(value, path);
  return { ...rest, timeout, circuit: circuit.settings, ignore: circuit.ignore };
};

/** A group, or a single value that stands for its most important field; `false` takes the group's limits away. */
function either<T>(read: OptionReader<T>, meaning: (value: unknown) => unknown): OptionReader<T> {
  return (value, path) => {
    if (value === false) return read({ total: 0, attempt: 0 }, path);
    return typeof value === 'object' || value === undefined
      ? read(value, path)
      : read(meaning(value), path);
  };
}

function orFalse<T>(read: OptionReader<T>): OptionReader<T | false> {
  return (value, path) => (value === undefined || value === false ? false : read(value, path));
}

function readCircuit(
  value: unknown,
  path: string,
): { readonly settings: CircuitSettings | false; readonly ignore: Test } {
  if (value === false) return { settings: false, ignore: isClientError };
  const { ignore, ...rest } = (typeof value === 'object' ? value : {}) as CircuitPolicyOptions;
  const read = optional(made(isTest, 'a function of the error'))(ignore, `${path}.ignore`);
  return { settings: circuitSettings(rest, path), ignore: read ?? isClientError };
}

/** Whether the caller was wrong, and not who was called. */
function isClientError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { remoteStatus, statusCode, status } = error as Record<string, unknown>;
  const said = remoteStatus ?? statusCode ?? status;
  return typeof said === 'number' && said >= 400 && said < 500 && said !== 408 && said !== 429;
}

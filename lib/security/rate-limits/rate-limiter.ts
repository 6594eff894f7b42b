import type { RateLimitSettings } from './rate-limit.js';

/** What a limiter says of one request. */
export interface RateDecision {
  readonly allowed: boolean;
  /** The whole units that are left. */
  readonly remaining: number;
  /** How long until all units are there again, in ms. */
  readonly resetAfter: number;
  /** How long until this request would be allowed, in ms; 0 when it is. */
  readonly retryAfter: number;
}

/** Counts what is spent under one limit. */
export interface RateLimiter {
  /**
   * Spends units of a key, or spends nothing and says no. A decision is good until the next call; who keeps it copies it.
   *
   * @throws RateLimitsUnavailableError when that cannot be found out and the store's owner wants no request then
   */
  take(key: string, cost: number): RateDecision | Promise<RateDecision>;
}

/** Where counts are kept: in this process, or shared by all gateways. */
export abstract class RateLimitStore {
  /**
   * The limiter of a limit; limits of one name share it.
   *
   * @throws InvalidOptionsError when the store cannot keep such a limit
   */
  abstract open(limit: RateLimitSettings): RateLimiter;

  /** Gets ready to count, before any request comes; it waits a moment at most. What it throws stops the start. */
  async ready(): Promise<void> {}

  /** Ends what it holds open. */
  close(): void | Promise<void> {}
}

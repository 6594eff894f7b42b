import { BoundedTable } from './bounded-table.js';
import type { RateDecision, RateLimiter } from './rate-limiter.js';

/** Times come in doubles; a unit that is due to a rounding error is there. */
const ROUNDING = 1e-6;

/** How a token bucket is made; times in ms. */
export interface TokenBucketParts {
  readonly limit: number;
  readonly per: number;
  readonly burst: number;
  readonly now: () => number;
  /** The most keys that are remembered. */
  readonly most: number;
}

/**
 * Token buckets, one for each key, as GCRA keeps them: of a bucket only the time is known at which it would be full
 * again (ITU-T I.371; nginx's and Envoy's limits behave alike). A bucket that is full need not be known at all.
 */
export class TokenBucket implements RateLimiter {
  private readonly full: BoundedTable<{ at: number }>;
  private readonly interval: number;
  private readonly capacity: number;
  private readonly decision = { allowed: true, remaining: 0, resetAfter: 0, retryAfter: 0 };

  constructor(private readonly parts: TokenBucketParts) {
    this.full = new BoundedTable(parts.most);
    this.interval = parts.per / parts.limit;
    this.capacity = this.interval * parts.burst;
  }

  take(key: string, cost: number): RateDecision {
    const now = this.parts.now();
    const entry = this.full.get(key);
    const since = entry === undefined || entry.at < now ? now : entry.at;
    const at = since + cost * this.interval;
    const allowed = at - now <= this.capacity + ROUNDING;
    if (allowed) {
      if (entry === undefined) this.full.set(key, { at });
      else entry.at = at;
    }
    const debt = (allowed ? at : since) - now;
    const { decision } = this;
    decision.allowed = allowed;
    decision.remaining = Math.floor((this.capacity - debt) / this.interval + ROUNDING);
    decision.resetAfter = debt;
    decision.retryAfter = allowed ? 0 : at - now - this.capacity;
    return decision;
  }
}

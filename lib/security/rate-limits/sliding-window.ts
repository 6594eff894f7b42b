import { BoundedTable } from './bounded-table.js';
import type { RateDecision, RateLimiter } from './rate-limiter.js';

/** How a sliding window is made; times in ms. */
export interface SlidingWindowParts {
  readonly limit: number;
  readonly per: number;
  readonly now: () => number;
  /** The most keys that are remembered. */
  readonly most: number;
}

interface Counts {
  window: number;
  spent: number;
  before: number;
}

/**
 * A window that slides over time, approximated by two fixed ones: of the last window's count the share counts that the
 * sliding one still covers.
 */
export class SlidingWindow implements RateLimiter {
  private readonly counts: BoundedTable<Counts>;
  private readonly decision = { allowed: true, remaining: 0, resetAfter: 0, retryAfter: 0 };

  constructor(private readonly parts: SlidingWindowParts) {
    this.counts = new BoundedTable(parts.most);
  }

  take(key: string, cost: number): RateDecision {
    const { limit, per } = this.parts;
    const now = this.parts.now();
    const window = Math.floor(now / per);
    const counts = this.countsOf(key, window);
    const into = now - window * per;
    const weighed = counts.before * (1 - into / per);
    const allowed = weighed + counts.spent + cost <= limit;
    if (allowed) counts.spent += cost;
    const { decision } = this;
    decision.allowed = allowed;
    decision.remaining = Math.max(0, Math.floor(limit - weighed - counts.spent));
    decision.resetAfter = per - into + (counts.spent > 0 ? per : 0);
    decision.retryAfter = allowed ? 0 : this.waitFor(counts, cost, into);
    return decision;
  }

  private countsOf(key: string, window: number): Counts {
    const counts = this.counts.get(key);
    if (counts === undefined) {
      const made = { window, spent: 0, before: 0 };
      this.counts.set(key, made);
      return made;
    }
    if (counts.window !== window) {
      counts.before = counts.window === window - 1 ? counts.spent : 0;
      counts.spent = 0;
      counts.window = window;
    }
    return counts;
  }

  /** How long until the count has shrunk enough: within this window, or in the next, where this one's count shrinks. */
  private waitFor({ spent, before }: Counts, cost: number, into: number): number {
    const { limit, per } = this.parts;
    const room = limit - cost;
    if (room >= spent && before > 0) return Math.max(0, per * (1 - (room - spent) / before) - into);
    const share = spent === 0 ? 0 : 1 - room / spent;
    return per - into + Math.max(0, share) * per;
  }
}

import type { Clock } from '../../common/clock.js';

/** A token bucket: so many at once, then so many a second. */
export class RateLimit {
  private tokens: number;
  private filled: number;

  constructor(
    private readonly clock: Clock,
    private readonly limit: { readonly burst: number; readonly perSecond: number },
  ) {
    this.tokens = limit.burst;
    this.filled = clock.now();
  }

  /** Resolves when the next may go, or when the signal aborts. */
  async take(signal: AbortSignal): Promise<void> {
    const { burst, perSecond } = this.limit;
    const now = this.clock.now();
    this.tokens = Math.min(burst, this.tokens + ((now - this.filled) / 1_000) * perSecond);
    this.filled = now;
    this.tokens -= 1;
    if (this.tokens < 0) await this.clock.sleep((-this.tokens / perSecond) * 1_000, signal);
  }
}

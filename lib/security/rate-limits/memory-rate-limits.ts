import { Clock, SystemClock } from '../../common/clock.js';
import { integer, group, made, optional } from '../../common/option-readers.js';
import type { RateLimitSettings } from './rate-limit.js';
import { type RateLimiter, RateLimitStore } from './rate-limiter.js';
import { SlidingWindow } from './sliding-window.js';
import { TokenBucket } from './token-bucket.js';

/** What may be set of limits that are counted in this process. */
export interface MemoryRateLimitsOptions {
  /**
   * The most keys that are remembered for each limit, about 100 bytes each; those unused longest are forgotten, and have
   * their whole limit again. @default 100000
   */
  readonly keys?: number;
  /** @default the machine's time */
  readonly clock?: Clock;
}

const read = group({
  keys: integer(100_000, { min: 2 }),
  clock: optional(made((value): value is Clock => value instanceof Clock, 'a Clock')),
});

/** Limits counted in this process: exact, and costing nothing; each gateway has its own. */
export class MemoryRateLimits extends RateLimitStore {
  private readonly limiters = new Map<string, RateLimiter>();
  private readonly keys: number;
  private readonly clock: Clock;

  constructor(options: MemoryRateLimitsOptions = {}) {
    super();
    const { keys, clock = new SystemClock() } = read(options, 'memoryRateLimits');
    this.keys = keys;
    this.clock = clock;
  }

  override open(limit: RateLimitSettings): RateLimiter {
    const key = JSON.stringify([limit.name, limit.algorithm, limit.limit, limit.per, limit.burst]);
    const known = this.limiters.get(key) ?? this.make(limit);
    this.limiters.set(key, known);
    return known;
  }

  private make({ algorithm, limit, per, burst }: RateLimitSettings): RateLimiter {
    const common = { limit, per, most: this.keys, now: () => this.clock.now() };
    return algorithm === 'token-bucket'
      ? new TokenBucket({ ...common, burst })
      : new SlidingWindow(common);
  }
}

/** Counts rate limits in this process; the default. */
export function memoryRateLimits(options?: MemoryRateLimitsOptions): RateLimitStore {
  return new MemoryRateLimits(options);
}

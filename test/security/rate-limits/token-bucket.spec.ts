import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { TokenBucket } from '../../../lib/security/rate-limits/token-bucket.js';

/** A bucket as one would draw it: units that drip in. */
class DrawnBucket {
  private units: number;
  private at = 0;

  constructor(
    private readonly rate: number,
    private readonly burst: number,
  ) {
    this.units = burst;
  }

  take(cost: number, now: number): boolean {
    this.units = Math.min(this.burst, this.units + (now - this.at) * this.rate);
    this.at = now;
    if (this.units + 1e-6 < cost) return false;
    this.units -= cost;
    return true;
  }
}

describe('TokenBucket', () => {
  it('lets through what a bucket that drips would, in any order of events', () => {
    const events = fc.array(
      fc.record({ wait: fc.nat(5_000), cost: fc.integer({ min: 1, max: 5 }) }),
    );
    const shape = fc.record({
      limit: fc.integer({ min: 1, max: 50 }),
      burst: fc.integer({ min: 5, max: 60 }),
    });
    fc.assert(
      fc.property(shape, events, ({ limit, burst }, all) => {
        let now = 0;
        const bucket = new TokenBucket({ limit, per: 1_000, burst, most: 10, now: () => now });
        const drawn = new DrawnBucket(limit / 1_000, burst);
        for (const { wait, cost } of all) {
          now += wait;
          const { allowed, remaining } = bucket.take('k', cost);
          expect(allowed).toBe(drawn.take(cost, now));
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(remaining).toBeLessThanOrEqual(burst);
        }
      }),
    );
  });

  it('says after which time a request would pass, to the millisecond', () => {
    let now = 0;
    const bucket = new TokenBucket({ limit: 10, per: 1_000, burst: 10, most: 10, now: () => now });
    for (let at = 0; at < 10; at++) expect(bucket.take('k', 1).allowed).toBe(true);
    const { retryAfter, allowed, remaining } = bucket.take('k', 3);
    expect([allowed, remaining, retryAfter]).toEqual([false, 0, 300]);
    now = 299;
    expect(bucket.take('k', 3).allowed).toBe(false);
    now = 300;
    expect(bucket.take('k', 3).allowed).toBe(true);
  });

  it('keeps keys apart', () => {
    const bucket = new TokenBucket({ limit: 1, per: 1_000, burst: 1, most: 10, now: () => 0 });
    expect([
      bucket.take('a', 1).allowed,
      bucket.take('b', 1).allowed,
      bucket.take('a', 1).allowed,
    ]).toEqual([true, true, false]);
  });
});

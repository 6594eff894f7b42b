import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SlidingWindow } from '../../../lib/security/rate-limits/sliding-window.js';

const PER = 1_000;

describe('SlidingWindow', () => {
  it('never lets more through in a fixed window than the limit, and little more in any other', () => {
    const waits = fc.array(fc.nat(400), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), waits, (limit, all) => {
        let now = 0;
        const limiter = new SlidingWindow({ limit, per: PER, most: 10, now: () => now });
        const passed: number[] = [];
        for (const wait of all) {
          now += wait;
          if (limiter.take('k', 1).allowed) passed.push(now);
        }
        const windows = passed.map((at) => Math.floor(at / PER));
        for (const window of windows)
          expect(windows.filter((each) => each === window).length).toBeLessThanOrEqual(limit);
        for (const from of passed)
          expect(passed.filter((at) => at >= from && at < from + PER).length).toBeLessThanOrEqual(
            2 * limit,
          );
      }),
    );
  });

  it('does not forget at the border of a window', () => {
    let now = 900;
    const window = new SlidingWindow({ limit: 10, per: PER, most: 10, now: () => now });
    for (let at = 0; at < 10; at++) window.take('k', 1);
    now = 1_001;
    // Nearly all of the ten still lie within the last second.
    expect(window.take('k', 1).allowed).toBe(false);
    now = 1_100;
    expect(window.take('k', 1).allowed).toBe(true);
  });

  it('says after which time a request would pass', () => {
    const waits = fc.array(fc.nat(300), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), waits, (limit, all) => {
        let now = 0;
        const window = new SlidingWindow({ limit, per: PER, most: 10, now: () => now });
        for (const wait of all) {
          now += wait;
          const { allowed, retryAfter } = window.take('k', 1);
          if (allowed) continue;
          now += retryAfter + 1;
          expect(window.take('k', 1).allowed).toBe(true);
        }
      }),
    );
  });
});

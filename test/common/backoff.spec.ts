import { describe, expect, it } from '@jest/globals';
import { Backoff } from '../../lib/common/backoff.js';

describe('backoff', () => {
  it('doubles its limit up to the most, and begins small again after a success', () => {
    const backoff = new Backoff({ first: 100, most: 1_000 }, () => 1);
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('never waits for nothing, and spreads a crowd', () => {
    expect(new Backoff({ first: 100 }, () => 0).next()).toBe(50);
    const waits = Array.from({ length: 50 }, () => {
      const backoff = new Backoff({ first: 100 });
      for (let failures = 0; failures < 5; failures++) backoff.next();
      return backoff.next();
    });
    expect(new Set(waits).size).toBeGreaterThan(40);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_200);
  });

  it('does not overflow after years of failures', () => {
    const backoff = new Backoff({ most: 15_000 }, () => 1);
    for (let failures = 0; failures < 5_000; failures++) backoff.next();
    expect(backoff.next()).toBe(15_000);
  });
});

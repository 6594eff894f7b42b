import { describe, expect, it } from '@jest/globals';
import type { Endpoint } from '../../../lib/load-balancing/endpoint.js';
import type { LoadBalancingStrategy } from '../../../lib/load-balancing/load-balancing-strategy.js';
import { STRATEGIES } from '../../../lib/load-balancing/strategies/built-in.js';
import { LeastRequestStrategy } from '../../../lib/load-balancing/strategies/least-request.strategy.js';
import { RandomStrategy } from '../../../lib/load-balancing/strategies/random.strategy.js';
import { RoundRobinStrategy } from '../../../lib/load-balancing/strategies/round-robin.strategy.js';
import { endpoints, seeded } from '../instances.js';

/** How many of so many picks each endpoint gets. */
function shares(strategy: LoadBalancingStrategy, list: readonly Endpoint[], picks: number) {
  const counts = new Map(list.map((endpoint) => [endpoint, 0]));
  for (let i = 0; i < picks; i++) {
    const picked = strategy.pick(list);
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return [...counts.values()].map((count) => count / picks);
}

const named = [
  ['round-robin', () => new RoundRobinStrategy()],
  ['random', () => new RandomStrategy(seeded())],
  ['least-request', () => new LeastRequestStrategy(seeded())],
] as const;

describe.each(named)('%s', (name, make) => {
  it('can be named in options', () => {
    expect(STRATEGIES[name]()).toBeInstanceOf(make().constructor);
  });

  it.each([
    [[1, 1, 1, 1]],
    [[5, 5, 5]],
    [[1, 3]],
    [[1, 2, 5]],
    [[0, 1, 1]],
    [[0, 0]],
    [[-1, 2, 2]],
    [[0.5, 1.5]],
  ])('gives endpoints of the weights %j their share', (weights) => {
    const total = weights.reduce((sum, weight) => sum + Math.max(0, weight), 0);
    const measured = shares(make(), endpoints(...weights), 20_000);
    for (const [i, weight] of weights.entries()) {
      const expected = total === 0 ? 1 / weights.length : Math.max(0, weight) / total;
      expect(Math.abs((measured[i] ?? 0) - expected)).toBeLessThan(0.02);
    }
  });

  it('follows a list that is replaced', () => {
    const strategy = make();
    const before = endpoints(1, 1, 1);
    shares(strategy, before, 100);
    const after = [...endpoints(1, 9), ...before.slice(0, 1)];
    const [, heavy = 0] = shares(strategy, after, 5_000);
    expect(heavy).toBeGreaterThan(0.7);
    for (let i = 0; i < 100; i++)
      expect(before.slice(0, 2)).toContain(strategy.pick(before.slice(0, 2)));
  });
});

describe('round-robin', () => {
  it('takes turns', () => {
    const list = endpoints(1, 1, 1);
    const strategy = new RoundRobinStrategy();
    const turns = Array.from({ length: 9 }, () => list.indexOf(strategy.pick(list)));
    expect(turns.slice(3, 6)).toEqual(turns.slice(0, 3));
    expect(new Set(turns.slice(0, 3)).size).toBe(3);
  });

  it('keeps to the weights over short stretches too', () => {
    const list = endpoints(1, 4);
    const strategy = new RoundRobinStrategy();
    for (let stretch = 0; stretch < 50; stretch++) {
      const [light = 0] = shares(strategy, list, 20);
      expect(light * 20).toBeGreaterThanOrEqual(2);
      expect(light * 20).toBeLessThanOrEqual(6);
    }
  });
});

describe('least-request', () => {
  it('prefers the endpoint with fewer calls under way', () => {
    const list = endpoints(1, 1);
    const [busy, free] = list;
    if (busy) busy.active = 3;
    const strategy = new LeastRequestStrategy(seeded());
    for (let i = 0; i < 100; i++) expect(strategy.pick(list)).toBe(free);
  });

  it('goes round while all are alike, also when the list becomes shorter', () => {
    const list = endpoints(1, 1, 1);
    const strategy = new LeastRequestStrategy(seeded());
    const picks = [1, 2, 3, 4, 5, 6].map(() => list.indexOf(strategy.pick(list)));
    expect(picks).toEqual([0, 1, 2, 0, 1, 2]);
    expect(strategy.pick(list.slice(0, 2))).toBe(list[0]);
  });

  it('never picks the busiest of three', () => {
    const list = endpoints(1, 1, 1);
    for (const [i, endpoint] of list.entries()) endpoint.active = i;
    const [, , most = 1] = shares(new LeastRequestStrategy(seeded()), list, 1_000);
    expect(most).toBe(0);
  });

  it('lets the calls under way follow the weights under load', () => {
    const list = endpoints(1, 4);
    const strategy = new LeastRequestStrategy(seeded());
    for (let i = 0; i < 500; i++) strategy.pick(list).active++;
    const [light, heavy] = list;
    expect((heavy?.active ?? 0) / (light?.active ?? 1)).toBeCloseTo(4, 0);
  });
});

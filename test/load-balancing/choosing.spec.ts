import { describe, expect, it } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { Endpoint } from '../../lib/load-balancing/endpoint.js';
import { LoadBalancer, type LoadBalancerOptions } from '../../lib/load-balancing/load-balancer.js';
import { outlierSettings } from '../../lib/load-balancing/outlier.options.js';
import { ConsistentHashStrategy } from '../../lib/load-balancing/strategies/consistent-hash.strategy.js';
import { PeakEwmaStrategy } from '../../lib/load-balancing/strategies/peak-ewma.strategy.js';
import { RoundRobinStrategy } from '../../lib/load-balancing/strategies/round-robin.strategy.js';
import { StickyStrategy } from '../../lib/load-balancing/strategies/sticky.strategy.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { endpoints, instance, seeded } from './instances.js';

function balance(
  instances: readonly ReturnType<typeof instance>[],
  options: Partial<LoadBalancerOptions<Endpoint>> = {},
) {
  const clock = new FakeClock();
  const events = new EventHub();
  const ejected: string[] = [];
  events.on('endpoint.ejected', ({ endpoint, reason }) =>
    ejected.push(`${endpoint.instance.id}: ${reason}`),
  );
  const balancer = new LoadBalancer<Endpoint>({
    clock,
    events,
    strategy: new RoundRobinStrategy(),
    create: (each) => new Endpoint(each),
    outlier: outlierSettings(undefined, 'outlier'),
    ...options,
  });
  balancer.update(instances);
  const get = (id: string) => {
    const found = balancer.endpoints.find((endpoint) => endpoint.instance.id === id);
    if (!found) throw new Error(`no ${id}`);
    return found;
  };
  /** How many of so many picks each endpoint gets. */
  const shares = (count: number) => {
    const got: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const picked = balancer.pick();
      if (!picked) continue;
      got[picked.instance.id] = (got[picked.instance.id] ?? 0) + 1;
      balancer.complete(picked, 'cancelled', 0);
    }
    return got;
  };
  const end = (id: string, outcome: 'success' | 'failure', elapsed = 1) => {
    get(id).active++;
    balancer.complete(get(id), outcome, elapsed);
  };
  return { balancer, clock, ejected, get, shares, end };
}

const inZone = (zone: string, ...ids: string[]) => ids.map((id) => instance(id, { zone }));

describe('zones', () => {
  it('keep traffic at home while enough is well there', () => {
    const { shares } = balance([...inZone('a', 'a1', 'a2'), ...inZone('b', 'b1', 'b2')], {
      zone: 'a',
    });
    expect(shares(100)).toEqual({ a1: 50, a2: 50 });
  });

  it('send away as much as the own zone has lost, less a margin', () => {
    const all = [...inZone('a', 'a1', 'a2', 'a3', 'a4'), ...inZone('b', 'b1', 'b2')];
    const { balancer, shares, end } = balance(all, { zone: 'a' });
    for (let i = 0; i < 5; i++) for (const id of ['a1', 'a2']) end(id, 'failure');
    // Half of it is well, times 1.4.
    const got = shares(4_000);
    const home = (got['a3'] ?? 0) + (got['a4'] ?? 0);
    expect(home / 4_000).toBeGreaterThan(0.66);
    expect(home / 4_000).toBeLessThan(0.74);
    expect(balancer.explain().zone).toEqual({ own: 'a', stays: 70 });
  });

  it('do not matter when nobody is there, or the caller has none', () => {
    const all = [...inZone('b', 'b1'), ...inZone('c', 'c1')];
    expect(Object.keys(balance(all, { zone: 'a' }).shares(10))).toHaveLength(2);
    expect(Object.keys(balance(all).shares(10))).toHaveLength(2);
  });
});

describe('a subset', () => {
  const all = [
    instance('old', { version: '1.9.0' }),
    instance('new', { version: '2.1.3', tags: ['canary'] }),
    instance('newer', { version: '2.10.0', metadata: { team: 'blue' } }),
  ];
  it.each([
    [{ version: '2' }, ['new', 'newer']],
    [{ version: '2.x' }, ['new', 'newer']],
    [{ version: '2.1' }, ['new']],
    [{ version: '2.9+' }, ['newer']],
    [{ tags: ['canary'] }, ['new']],
    [{ metadata: { team: 'blue' } }, ['newer']],
    [{ version: '3' }, []],
    [{ version: '3', otherwise: 'any' as const }, ['new', 'newer', 'old']],
  ])('%j is %j', (subset, ids) => {
    expect(Object.keys(balance(all, { subset }).shares(30)).toSorted()).toEqual(ids);
  });
});

describe('a slow start', () => {
  it('gives a new instance a share that grows, and the first ones all of theirs at once', async () => {
    const { balancer, clock, shares } = balance([instance('a'), instance('b')], {
      slowStart: 10_000,
    });
    expect(shares(100)).toEqual({ a: 50, b: 50 });
    balancer.update([instance('a'), instance('b'), instance('c')]);
    expect(shares(1_000)['c']).toBeLessThan(70);
    await clock.advance(5_000);
    expect(shares(1_000)['c']).toBeGreaterThan(150);
    await clock.advance(5_000);
    expect(shares(999)).toEqual({ a: 333, b: 333, c: 333 });
    expect(clock.waiting).toBe(0);
  });
});

describe('ejection beside peers', () => {
  it('takes an endpoint out that fails half of its calls, whose failures never come in a row', () => {
    const { ejected, end } = balance(['a', 'b', 'c'].map((id) => instance(id)));
    for (let i = 0; i < 30 && ejected.length === 0; i++) {
      end('a', i % 2 === 0 ? 'success' : 'failure');
      for (const id of ['b', 'c']) end(id, 'success');
    }
    expect(ejected).toEqual(['a: failure-rate']);
  });

  it('leaves all in when all fail alike', () => {
    const { ejected, end } = balance(['a', 'b', 'c'].map((id) => instance(id)));
    for (let i = 0; i < 100; i++) {
      for (const id of ['a', 'b', 'c']) end(id, i % 2 === 0 ? 'success' : 'failure');
    }
    expect(ejected).toEqual([]);
  });

  it('takes it out for longer when it fails again soon after it was let in', async () => {
    const { ejected, end, get, clock } = balance(['a', 'b', 'c'].map((id) => instance(id)));
    const fail = () => {
      for (let i = 0; i < 5; i++) end('a', 'failure');
    };
    fail();
    await clock.advance(10_000);
    end('a', 'success');
    expect(get('a').state).toBe('healthy');
    fail();
    await clock.advance(19_999);
    expect(get('a').state).toBe('ejected');
    await clock.advance(1);
    expect(get('a').state).toBe('probation');
    expect(ejected).toHaveLength(2);
  });

  it('takes a slow one out where that is asked for', () => {
    const { ejected, end } = balance(
      ['a', 'b', 'c'].map((id) => instance(id)),
      {
        outlier: outlierSettings({ latencyFactor: 10 }, 'outlier'),
      },
    );
    for (let i = 0; i < 30; i++) {
      end('a', 'success', 2_000);
      for (const id of ['b', 'c']) end(id, 'success', 20);
    }
    expect(ejected).toEqual(['a: latency']);
  });
});

describe('peak EWMA', () => {
  it('leaves a slow endpoint alone, and weighs what is under way', () => {
    const [slow, fast, busy] = endpoints(1, 1, 1) as [Endpoint, Endpoint, Endpoint];
    slow.latency = 500;
    fast.latency = 5;
    busy.latency = 5;
    busy.active = 3;
    const strategy = new PeakEwmaStrategy(seeded());
    const got = new Map<Endpoint, number>();
    for (let i = 0; i < 300; i++) {
      const picked = strategy.pick([slow, fast, busy]);
      got.set(picked, (got.get(picked) ?? 0) + 1);
    }
    expect(got.get(slow)).toBeUndefined();
    expect(got.get(fast) ?? 0).toBeGreaterThan((got.get(busy) ?? 0) * 1.5);
  });

  it('goes round while all are alike', () => {
    const list = endpoints(1, 1, 1);
    const strategy = new PeakEwmaStrategy();
    const picked = Array.from({ length: 6 }, () => list.indexOf(strategy.pick(list)));
    expect(picked).toEqual([0, 1, 2, 0, 1, 2]);
  });
});

describe('consistent hashing', () => {
  const strategy = () => new ConsistentHashStrategy({ header: 'x-user' });
  const keys = Array.from({ length: 2_000 }, (_, at) => `user-${at}`);

  it('spreads keys, and moves only those of an endpoint that goes', () => {
    const list = endpoints(1, 1, 1, 1);
    const before = new Map(keys.map((key) => [key, strategy().pick(list, key)]));
    for (const endpoint of list) {
      const share = [...before.values()].filter((each) => each === endpoint).length;
      expect(share).toBeGreaterThan(350);
      expect(share).toBeLessThan(680);
    }
    const left = list.slice(1);
    const after = strategy();
    const moved = keys.filter((key) => after.pick(left, key) !== before.get(key));
    expect(moved.every((key) => before.get(key) === list[0])).toBe(true);
  });

  it('does not bury an endpoint under a popular key', () => {
    const list = endpoints(1, 1, 1, 1);
    const bounded = strategy();
    for (let i = 0; i < 400; i++) bounded.pick(list, 'everybody').active++;
    expect(Math.max(...list.map(({ active }) => active))).toBeLessThanOrEqual(126);
  });

  it('takes any endpoint for a call without the key', () => {
    const list = endpoints(1, 1);
    const without = strategy();
    expect(new Set([without.pick(list), without.pick(list)]).size).toBe(2);
  });
});

describe('stickiness', () => {
  it('leads back by its cookie, and elsewhere when the instance is gone', () => {
    const list = endpoints(1, 1, 1) as [Endpoint, Endpoint, Endpoint];
    const strategy = new StickyStrategy('at');
    const cookie = /^at=(\w+);/.exec(strategy.cookieFor(list[1]))?.[1];
    for (let i = 0; i < 5; i++) expect(strategy.pick(list, cookie)).toBe(list[1]);
    expect([list[0], list[2]]).toContain(strategy.pick([list[0], list[2]], cookie));
    expect(strategy.cookieFor(list[1])).not.toContain(list[1].instance.id);
  });
});

describe('an explanation', () => {
  it('says who may be chosen, by what, and why not', () => {
    const all = [instance('a'), instance('b'), instance('c', { version: '1.0.0' }), instance('d')];
    const { balancer, end } = balance(all, { subset: { version: '2', otherwise: 'any' } });
    balancer.update(all, all.slice(0, 3));
    for (let i = 0; i < 5; i++) end('a', 'failure');
    const { strategy, panic, endpoints: explained } = balancer.explain();
    expect({ strategy, panic }).toEqual({ strategy: 'RoundRobinStrategy', panic: false });
    expect(explained.map(({ id, candidate, because }) => [id, candidate, because])).toEqual([
      ['a', false, 'ejected'],
      ['b', true, undefined],
      ['c', true, undefined],
      ['d', false, 'leaving or down'],
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { Endpoint } from '../../lib/load-balancing/endpoint.js';
import { type CallOutcome, LoadBalancer } from '../../lib/load-balancing/load-balancer.js';
import type { OutlierSettings } from '../../lib/load-balancing/outlier-detector.js';
import { RoundRobinStrategy } from '../../lib/load-balancing/strategies/round-robin.strategy.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { instance } from './instances.js';

class Retiring extends Endpoint {
  retired = 0;
  override retire(): void {
    this.retired++;
  }
}

const OUTLIER: OutlierSettings = {
  consecutiveFailures: 5,
  failureRate: 20,
  latencyFactor: 0,
  minimumCalls: 20,
  window: 10_000,
  ejection: 10_000,
  maxEjection: 60_000,
  maxEjected: 50,
};

function balance(ids: readonly string[], outlier: OutlierSettings | undefined = OUTLIER) {
  const clock = new FakeClock();
  const events = new EventHub();
  const happened: string[] = [];
  events.on('endpoint.ejected', ({ endpoint, until }) => {
    happened.push(`${endpoint.instance.id} ejected for ${until - clock.wallTime()} ms`);
  });
  events.on('endpoint.readmitted', ({ endpoint }) => {
    happened.push(`${endpoint.instance.id} readmitted`);
  });
  const balancer = new LoadBalancer({
    clock,
    events,
    strategy: new RoundRobinStrategy(),
    create: (each) => new Retiring(each),
    outlier,
  });
  balancer.update(ids.map((id) => instance(id)));
  const get = (id: string): Retiring => {
    const found = balancer.endpoints.find((endpoint) => endpoint.instance.id === id);
    if (!found) throw new Error(`no ${id}`);
    return found;
  };
  const ids_ = () => balancer.candidates.map((endpoint) => endpoint.instance.id);
  /** A call to this endpoint with such an end. */
  const call = (id: string, outcome: CallOutcome, elapsed = 10) => {
    const endpoint = get(id);
    const picked = balancer.pick((each) => each === endpoint);
    expect(picked).toBe(endpoint);
    balancer.complete(endpoint, outcome, elapsed);
  };
  const fail = (id: string, times: number) => {
    for (let i = 0; i < times; i++) call(id, 'failure');
  };
  return { clock, balancer, happened, get, candidates: ids_, call, fail };
}

describe('LoadBalancer', () => {
  it('has nobody to pick before it knows anyone', () => {
    const { balancer } = balance([]);
    expect(balancer.pick()).toBeUndefined();
    expect(balancer.ready).toBe(true);
  });

  it('counts a pick as under way until it is completed', () => {
    const { balancer, get } = balance(['a']);
    const picked = balancer.pick();
    expect(get('a').active).toBe(1);
    if (picked) balancer.complete(picked, 'success', 40);
    expect(get('a')).toMatchObject({ active: 0, latency: 40 });
  });

  it('smooths latency: what is slower counts more, a failure that took its time too, one that came at once not', () => {
    const { get, call } = balance(['a', 'b']);
    call('a', 'success', 100);
    call('a', 'success', 200);
    expect(get('a').latency).toBe(130);
    call('a', 'success', 30);
    expect(get('a').latency).toBe(120);
    call('a', 'failure', 0);
    expect(get('a').latency).toBe(120);
    call('a', 'failure', 1_120);
    expect(get('a').latency).toBe(420);
  });

  it('forgets a slow answer with time, so that the endpoint is asked again', async () => {
    const { get, call, clock } = balance(['a', 'b']);
    call('a', 'success', 2_000);
    call('b', 'success', 2);
    await clock.advance(60_000);
    expect(get('a').latency).toBeLessThan(3);
    expect(get('b').latency).toBe(2);
    await clock.advance(60_000);
    expect(clock.waiting).toBe(0);
  });

  it('keeps an endpoint and its figures as long as its instance id', () => {
    const { balancer, get, fail } = balance(['a', 'b']);
    const endpoint = get('a');
    fail('a', 2);
    balancer.update([instance('a', { version: '2' }), instance('c')]);
    expect(get('a')).toBe(endpoint);
    expect(endpoint).toMatchObject({ consecutiveFailures: 2, retired: 0 });
    expect(endpoint.instance.version).toBe('2');
  });

  it('retires an endpoint whose instance is gone, and one that has moved', () => {
    const { balancer, get } = balance(['a', 'b']);
    const [gone, moved] = [get('a'), get('b')];
    balancer.update([instance('b', { port: 4000 })]);
    expect([gone.retired, moved.retired]).toEqual([1, 1]);
    expect(get('b')).not.toBe(moved);
    expect(balancer.candidates).toEqual([get('b')]);
  });

  it('lets a call finish whose endpoint is gone meanwhile', () => {
    const { balancer, get, fail, happened } = balance(['a', 'b']);
    const endpoint = get('a');
    fail('a', 4);
    balancer.pick((each) => each === endpoint);
    balancer.update([instance('b'), instance('c')]);
    balancer.complete(endpoint, 'failure', 1);
    expect(endpoint.active).toBe(0);
    expect(happened).toEqual([]);
  });

  it('knows instances that take no traffic, and does not pick them', () => {
    const { balancer, get, candidates } = balance(['a', 'b']);
    const draining = get('a');
    balancer.update([instance('a', { status: 'draining' }), instance('b')], [instance('b')]);
    expect(candidates()).toEqual(['b']);
    expect(draining.retired).toBe(0);
  });

  it('publishes a whole new list when something changes, and the same one otherwise', () => {
    const { balancer, call } = balance(['a', 'b']);
    const before = balancer.candidates;
    call('a', 'success');
    call('a', 'failure');
    expect(balancer.candidates).toBe(before);
    balancer.update([instance('a'), instance('b')]);
    expect(balancer.candidates).not.toBe(before);
  });

  it('picks only what is accepted and not excluded', () => {
    const { balancer, get } = balance(['a', 'b', 'c']);
    for (let i = 0; i < 10; i++) {
      expect(balancer.pick((each) => each !== get('a'), get('b'))).toBe(get('c'));
    }
    expect(balancer.pick(() => false)).toBeUndefined();
    expect(balance(['a']).balancer.pick(undefined, undefined)).toBeDefined();
  });
});

describe('outlier detection', () => {
  it('ejects an endpoint after five failures in a row', () => {
    const { fail, candidates, happened } = balance(['a', 'b', 'c']);
    fail('a', 4);
    expect(candidates()).toEqual(['a', 'b', 'c']);
    fail('a', 1);
    expect(candidates()).toEqual(['b', 'c']);
    expect(happened).toEqual(['a ejected for 10000 ms']);
  });

  it('begins to count anew with a success', () => {
    const { fail, call, candidates } = balance(['a', 'b']);
    fail('a', 4);
    call('a', 'success');
    fail('a', 4);
    expect(candidates()).toEqual(['a', 'b']);
  });

  it('does not count cancelled calls', () => {
    const { call, fail, candidates } = balance(['a', 'b']);
    fail('a', 4);
    for (let i = 0; i < 10; i++) call('a', 'cancelled');
    expect(candidates()).toEqual(['a', 'b']);
    fail('a', 1);
    expect(candidates()).toEqual(['b']);
  });

  it('gives an endpoint on probation the next call, one at a time, and readmits it with a success', async () => {
    const { balancer, clock, fail, get, candidates, happened } = balance(['a', 'b', 'c']);
    fail('a', 5);
    await clock.advance(9_999);
    expect(get('a').state).toBe('ejected');
    await clock.advance(1);
    expect(get('a').state).toBe('probation');
    const probe = balancer.pick();
    expect(probe).toBe(get('a'));
    for (let i = 0; i < 10; i++) expect(balancer.pick()).not.toBe(get('a'));
    if (probe) balancer.complete(probe, 'success', 1);
    expect(get('a')).toMatchObject({ state: 'healthy' });
    expect(candidates()).toEqual(['a', 'b', 'c']);
    expect(happened).toEqual(['a ejected for 10000 ms', 'a readmitted']);
  });

  it('ejects an endpoint on probation with its first failure, for twice as long, up to a limit', async () => {
    const { clock, call, fail, happened } = balance(['a', 'b', 'c']);
    fail('a', 5);
    for (let i = 0; i < 5; i++) {
      await clock.advance(60_000);
      call('a', 'failure');
    }
    expect(happened.map((each) => Number(/\d+/.exec(each)))).toEqual([
      10_000, 20_000, 40_000, 60_000, 60_000, 60_000,
    ]);
  });

  it('makes all of them candidates when more than half are out', () => {
    const { fail, candidates } = balance(['a', 'b', 'c']);
    fail('a', 5);
    expect(candidates()).toEqual(['b', 'c']);
    fail('b', 5);
    expect(candidates()).toEqual(['a', 'b', 'c']);
  });

  it('sends a second try to an endpoint it trusts, panic or not', () => {
    const { balancer, fail, get } = balance(['a', 'b', 'c']);
    fail('a', 5);
    fail('b', 5);
    for (let i = 0; i < 10; i++) expect(balancer.pick(undefined, get('a'))).toBe(get('c'));
    expect([get('a'), get('b')]).toContain(balancer.pick(undefined, get('c')));
  });

  it('trusts an endpoint again that answers well while all are candidates', () => {
    const { fail, call, candidates, happened } = balance(['a', 'b']);
    fail('a', 5);
    fail('b', 5);
    call('a', 'success');
    expect(candidates()).toEqual(['a']);
    expect(happened.at(-1)).toBe('a readmitted');
  });

  it('is not moved by a late success of an endpoint that is ejected', () => {
    const { balancer, fail, get, candidates } = balance(['a', 'b', 'c']);
    const early = balancer.pick((each) => each === get('a'));
    fail('a', 5);
    if (early) balancer.complete(early, 'success', 1);
    expect(candidates()).toEqual(['b', 'c']);
  });

  it('ejects an endpoint at once that cannot be connected to', () => {
    const { call, candidates, happened } = balance(['a', 'b', 'c']);
    call('a', 'unreachable');
    expect(candidates()).toEqual(['b', 'c']);
    expect(happened).toEqual(['a ejected for 10000 ms']);
  });

  it('does not panic over endpoints that cannot be connected to, and leaves them out when it does', () => {
    const { call, fail, candidates } = balance(['a', 'b', 'c', 'd', 'e', 'f']);
    for (const id of ['a', 'b', 'c']) call(id, 'unreachable');
    expect(candidates()).toEqual(['d', 'e', 'f']);
    fail('d', 5);
    expect(candidates()).toEqual(['e', 'f']);
    fail('e', 5);
    expect(candidates()).toEqual(['d', 'e', 'f']);
    call('d', 'unreachable');
    expect(candidates()).toEqual(['f']);
  });

  it('makes all candidates when none can be connected to, and trusts the first that answers', () => {
    const { call, candidates, get } = balance(['a', 'b', 'c']);
    for (const id of ['a', 'b', 'c']) call(id, 'unreachable');
    expect(candidates()).toEqual(['a', 'b', 'c']);
    call('b', 'success');
    expect(candidates()).toEqual(['b']);
    expect(get('b')).toMatchObject({ state: 'healthy', unreachable: false });
  });

  it('tries an endpoint that could not be connected to again when its time is over', async () => {
    const { balancer, call, clock, get, candidates } = balance(['a', 'b', 'c']);
    call('a', 'unreachable');
    await clock.advance(10_000);
    expect(balancer.pick()).toBe(get('a'));
    balancer.complete(get('a'), 'success', 1);
    expect(candidates()).toEqual(['a', 'b', 'c']);
  });

  it('sends a further try to none that was tried, and to the unreachable last', () => {
    const { balancer, call, fail, get } = balance(['a', 'b', 'c', 'd']);
    call('a', 'unreachable');
    fail('b', 5);
    const [b, c, d] = [get('b'), get('c'), get('d')];
    expect(balancer.pick(undefined, [d])).toBe(c);
    expect(balancer.pick(undefined, [c, d])).toBe(b);
    expect(balancer.pick(undefined, [b, c, d])).toBe(get('a'));
    expect(balancer.pick(undefined, [get('a'), b, c, d])).toBeUndefined();
  });

  it('never ejects the only endpoint', () => {
    const { fail, candidates, happened } = balance(['a']);
    fail('a', 50);
    expect(candidates()).toEqual(['a']);
    expect(happened).toEqual([]);
  });

  it('forgets an ejected endpoint with its instance, timer and all', async () => {
    const { balancer, clock, fail, happened } = balance(['a', 'b', 'c']);
    // What fades of the latency is one timer, whoever is ejected.
    fail('b', 1);
    const before = clock.waiting;
    fail('a', 5);
    expect(clock.waiting).toBe(before + 1);
    balancer.update([instance('b'), instance('c')]);
    expect(clock.waiting).toBe(before);
    await clock.advance(60_000);
    expect(happened).toHaveLength(1);
    balancer.close();
    expect(balancer.candidates).toEqual([]);
  });

  it('ejects nobody when it is switched off', () => {
    const { clock, balancer, happened } = balance(['a', 'b'], {
      ...OUTLIER,
      consecutiveFailures: 1,
    });
    const off = new LoadBalancer({
      clock,
      events: new EventHub(),
      strategy: new RoundRobinStrategy(),
      create: (each) => new Endpoint(each),
    });
    off.update([instance('a'), instance('b')]);
    for (let i = 0; i < 20; i++) {
      const picked = off.pick();
      if (picked) off.complete(picked, 'failure', 1);
    }
    expect(off.candidates).toHaveLength(2);
    const picked = balancer.pick();
    if (picked) balancer.complete(picked, 'failure', 1);
    expect(happened).toHaveLength(1);
  });
});

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Injectable, Logger, type Module, Scope, UseGuards } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Clock } from '../../lib/common/clock.js';
import { EventHub } from '../../lib/common/event-hub.js';
import { RequestContext } from '../../lib/common/request-context.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { Circuits } from '../../lib/resilience/circuits.js';
import type { PolicyOptions } from '../../lib/resilience/policy.options.js';
import { ResilienceModule } from '../../lib/resilience/resilience.module.js';
import { Resilience } from '../../lib/resilience/resilience.js';
import {
  CallSignal,
  Resilient,
  type ResilientOptions,
} from '../../lib/resilience/resilient.decorator.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

let app: TestingModule | undefined;
afterEach(() => app?.close());

async function start(
  policies: Record<string, PolicyOptions>,
  more: Parameters<typeof Module>[0] = {},
) {
  const clock = new FakeClock();
  app = await Test.createTestingModule({
    ...more,
    imports: [ResilienceModule.forRoot({ policies }), ...(more.imports ?? [])],
  })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  await app.init();
  const happened: string[] = [];
  app.get(EventHub).onAny((name) => happened.push(name));
  return { app, clock, happened, resilience: app.get(Resilience) };
}

const later = (clock: Clock, ms: number, signal?: AbortSignal) =>
  clock.sleep(ms, signal).then(() => 'late');

const fail = () => Promise.reject(new Error('no'));

/** Settles in the background, so that time can be pushed meanwhile. */
function outcome(promise: Promise<unknown>) {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: error as Error & { code?: string } }),
  );
}

describe('a policy', () => {
  it('gives a call up when its time is over, and aborts its signal', async () => {
    const { resilience, clock, happened } = await start({ slow: { timeout: '100ms' } });
    let seen: AbortSignal | undefined;
    const call = outcome(
      resilience.execute('slow', ({ signal }) => {
        seen = signal;
        return later(clock, 1_000);
      }),
    );
    await clock.advance(100);
    expect(await call).toMatchObject({ error: { code: 'ERR_POLICY_TOTAL_TIMEOUT' } });
    expect(seen?.aborted).toBe(true);
    expect(happened).toContain('policy.timed-out');
  });

  it('leaves the signals of other calls alone', async () => {
    const { resilience, clock } = await start({ slow: { timeout: '100ms' } });
    const signals: AbortSignal[] = [];
    const call = () =>
      outcome(
        resilience.execute('slow', ({ signal }) => {
          signals.push(signal);
          return later(clock, 120);
        }),
      );
    const first = call();
    await clock.advance(60);
    void call();
    await clock.advance(45);
    await first;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await clock.advance(200);
  });

  it('tries again after waits, and not after an error that says that the caller was wrong', async () => {
    const { resilience, clock, happened } = await start({ again: { retry: 2, circuit: false } });
    let calls = 0;
    const failing = (error: object) =>
      outcome(
        resilience.execute('again', () => {
          calls++;
          throw Object.assign(new Error('no'), error);
        }),
      );
    const transient = failing({});
    await clock.advance(1_000);
    expect(await transient).toMatchObject({ error: { message: 'no' } });
    expect(calls).toBe(3);
    expect(happened.filter((name) => name === 'policy.retried')).toHaveLength(2);
    for (const status of [400, 404, 409]) await failing({ status });
    expect(calls).toBe(6);
    for (const status of [408, 429, 503]) {
      const call = failing({ status });
      await clock.advance(1_000);
      await call;
    }
    expect(calls).toBe(15);
  });

  it('waits as long as Retry-After asks, and not at all when that leaves no time', async () => {
    const { resilience, clock } = await start({ again: { retry: 1, timeout: '5s' } });
    const at: number[] = [];
    const failing = (seconds: string) =>
      outcome(
        resilience.execute('again', () => {
          at.push(clock.now());
          throw Object.assign(new Error('busy'), {
            status: 503,
            headers: { 'retry-after': seconds },
          });
        }),
      );
    const patient = failing('2');
    await clock.advance(1_999);
    expect(at).toEqual([0]);
    await clock.advance(1);
    await patient;
    expect(at).toEqual([0, 2_000]);
    expect(await failing('60')).toMatchObject({ error: { message: 'busy' } });
    expect(at).toHaveLength(3);
  });

  it('spends retries from a budget', async () => {
    const { resilience, clock } = await start({ again: { retry: 1, circuit: false } });
    let calls = 0;
    for (let i = 0; i < 200; i++) {
      const call = outcome(
        resilience.execute('again', () => {
          calls++;
          throw new Error('no');
        }),
      );
      await clock.advance(100);
      await call;
    }
    // 30 that were saved up, and a fifth of the rest.
    expect(calls).toBeLessThanOrEqual(200 + 30 + 40);
    expect(calls).toBeGreaterThan(250);
  }, 20_000);

  it('opens its circuit, shows it among all circuits, and can be moved by hand', async () => {
    const { app, resilience, clock, happened } = await start({
      fragile: { circuit: { minimumCalls: 4, halfOpenCalls: 2, openFor: '1s' } },
    });
    const call = (well: boolean) =>
      outcome(
        resilience.execute('fragile', () => {
          if (!well) throw new Error('no');
          return 'yes';
        }),
      );
    for (let i = 0; i < 4; i++) await call(false);
    expect(await call(true)).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN' } });
    expect(resilience.breakerOf('fragile')?.opened).toBe(true);
    await clock.advance(1_000);
    expect([await call(true), await call(true)]).toEqual([{ value: 'yes' }, { value: 'yes' }]);
    expect(resilience.breakerOf('fragile')?.closed).toBe(true);
    const circuit = app.get(Circuits).get('fragile');
    circuit?.forceOpen();
    await clock.advance(60_000);
    expect(await call(true)).toMatchObject({ error: { code: 'ERR_CIRCUIT_OPEN' } });
    circuit?.disable();
    for (let i = 0; i < 20; i++) await call(false);
    expect(circuit?.state).toBe('disabled');
    circuit?.forceClose();
    expect(await call(true)).toEqual({ value: 'yes' });
    expect(happened).toContain('circuit.disabled');
  });

  it('opens its circuit when too many calls are slow', async () => {
    const { resilience, clock } = await start({
      crawling: { circuit: { minimumCalls: 3, slowCall: '100ms', slowCallRate: 60 } },
    });
    for (let i = 0; i < 3; i++) {
      const call = resilience.execute('crawling', () => later(clock, 150));
      await clock.advance(150);
      await call;
    }
    expect(await outcome(resilience.execute('crawling', () => 1))).toMatchObject({
      error: { code: 'ERR_CIRCUIT_OPEN' },
    });
  });

  it('does not hold an error of 4xx against the circuit', async () => {
    const { resilience } = await start({ fragile: { circuit: { minimumCalls: 2 } } });
    for (let i = 0; i < 10; i++) {
      await outcome(
        resilience.execute('fragile', () => {
          throw Object.assign(new Error('no such thing'), { status: 404 });
        }),
      );
    }
    expect(await resilience.execute('fragile', () => 1)).toBe(1);
  });

  it('runs so many at a time, lets so many wait in order, and refuses the rest', async () => {
    const { resilience, clock } = await start({
      narrow: { bulkhead: { concurrency: 1, queue: 1 } },
    });
    const order: string[] = [];
    const call = (name: string) =>
      outcome(
        resilience.execute('narrow', async () => {
          order.push(name);
          await later(clock, 100);
          return name;
        }),
      );
    const calls = [call('a'), call('b'), call('c')];
    await clock.advance(0);
    expect(await calls[2]).toMatchObject({
      error: { code: 'ERR_BULKHEAD_FULL', message: '"narrow" is full: 1 calls run and 1 wait.' },
    });
    await clock.advance(100);
    await clock.advance(100);
    expect(await Promise.all(calls.slice(0, 2))).toEqual([{ value: 'a' }, { value: 'b' }]);
    expect(order).toEqual(['a', 'b']);
  });

  it('lets go of a place in the queue when its caller gives up or has waited too long', async () => {
    const { resilience, clock } = await start({
      narrow: { timeout: false, bulkhead: { concurrency: 1, queue: 2, maxWait: '50ms' } },
    });
    const first = outcome(resilience.execute('narrow', () => later(clock, 200)));
    await clock.advance(0);
    const caller = new AbortController();
    const second = outcome(resilience.execute('narrow', () => 2, { signal: caller.signal }));
    const third = outcome(resilience.execute('narrow', () => 3));
    await clock.advance(0);
    caller.abort();
    expect(await second).toMatchObject({ error: { name: 'AbortError' } });
    await clock.advance(50);
    expect(await third).toMatchObject({ error: { code: 'ERR_BULKHEAD_FULL' } });
    await clock.advance(200);
    expect(await first).toEqual({ value: 'late' });
    expect(await resilience.execute('narrow', () => 4)).toBe(4);
  });

  it('limits how often calls come', async () => {
    const { resilience, clock } = await start({ seldom: { rateLimit: { calls: 2, per: '1s' } } });
    const call = () => outcome(resilience.execute('seldom', () => 'yes'));
    expect([await call(), await call()]).toEqual([{ value: 'yes' }, { value: 'yes' }]);
    expect(await call()).toMatchObject({ error: { code: 'ERR_RATE_LIMITED', retryAfter: 500 } });
    await clock.advance(500);
    expect(await call()).toEqual({ value: 'yes' });
  });

  it('keeps values for a while, shares a call under way, and keeps no failure', async () => {
    const { resilience, clock } = await start({ kept: { cache: '10s' } });
    let calls = 0;
    const call = (key: string) => resilience.execute('kept', () => ++calls, { key });
    expect(await Promise.all([call('a'), call('a'), call('b')])).toEqual([1, 1, 2]);
    await clock.advance(9_999);
    expect(await call('a')).toBe(1);
    await clock.advance(1);
    expect(await call('a')).toBe(3);
    const failing = () =>
      outcome(resilience.execute('kept', () => Promise.reject(new Error('no')), { key: 'c' }));
    await failing();
    expect(await call('c')).toBe(4);
  });

  it('falls back on a value or a function of the cause, but not for a caller that gave up', async () => {
    const { resilience, happened } = await start({ any: {} });
    expect(await resilience.execute('any', fail, { fallback: { value: 7 } })).toBe(7);
    const told = await resilience.execute<string>('any', fail, {
      fallback: (cause) => `instead of ${(cause as Error).message}`,
    });
    expect(told).toBe('instead of no');
    expect(happened.filter((name) => name === 'policy.fell-back')).toHaveLength(2);
    const gone = AbortSignal.abort();
    expect(
      await outcome(resilience.execute('any', fail, { fallback: { value: 7 }, signal: gone })),
    ).toMatchObject({ error: { name: 'AbortError' } });
  });

  it('never outlives the deadline of the request it is called in', async () => {
    const { app, resilience, clock } = await start({ any: { timeout: '10s', retry: 5 } });
    const context = app.get(RequestContext);
    const scope = context.open({ 'x-rookery-deadline': '300' });
    const call = context.run(scope, () =>
      outcome(resilience.execute('any', () => later(clock, 1_000))),
    );
    await clock.advance(300);
    expect(await call).toMatchObject({ error: { code: 'ERR_POLICY_TOTAL_TIMEOUT' } });
    await clock.advance(1_000);
  });

  it('must be known', async () => {
    const { resilience } = await start({});
    await expect(resilience.execute('unheard', () => 1)).rejects.toThrow(
      'There is no policy "unheard". Write',
    );
  });

  it.each<[string, PolicyOptions]>([
    [
      "resilience.policies.wrong.timeout.total is 'soon', not a duration",
      { timeout: 'soon' as never },
    ],
    [
      'resilience.policies.wrong.retri is not an option. Did you mean "retry"?',
      { retri: 1 } as never,
    ],
    ['resilience.policies.wrong.circuit.failureRate is 0', { circuit: { failureRate: 0 } }],
    [
      'resilience.policies.wrong.rateLimit.calls is missing. Say how many calls may come.',
      { rateLimit: {} as never },
    ],
  ])('%s', async (sentence, wrong) => {
    await expect(start({ wrong })).rejects.toThrow(sentence);
  });
});

describe('@Resilient', () => {
  @Injectable()
  class Instead {
    quote(cause: Error, sku: string) {
      return `${sku} by default (${cause.message})`;
    }
  }

  @Injectable()
  class Prices {
    calls = 0;
    signal: AbortSignal | undefined;

    @Resilient('pricing', { fallback: 'cached' })
    async price(sku: string) {
      this.calls++;
      if (sku === 'bad') throw new Error('no price');
      return `${sku} costs 1`;
    }

    cached(cause: Error, sku: string) {
      return `${sku} cost 1 (${cause.message})`;
    }

    @Resilient({ fallback: Instead })
    async quote(sku: string): Promise<string> {
      throw new Error(`no ${sku}`);
    }

    @Resilient({ timeout: '1s', circuit: false, fallback: { value: 0 } })
    async amount(_sku: string, @CallSignal() signal?: AbortSignal): Promise<number> {
      this.signal = signal;
      throw new Error('no');
    }
  }

  it('puts a policy around a method, with a fallback by method, by class and by value', async () => {
    const { app } = await start({ pricing: { cache: '1m' } }, { providers: [Prices, Instead] });
    const prices = app.get(Prices);
    expect([await prices.price('a'), await prices.price('a')]).toEqual(['a costs 1', 'a costs 1']);
    expect(prices.calls).toBe(1);
    expect(await prices.price('bad')).toBe('bad cost 1 (no price)');
    expect(await prices.quote('x')).toBe('x by default (no x)');
    expect(await prices.amount('x')).toBe(0);
    expect(prices.signal).toBeInstanceOf(AbortSignal);
    expect(app.get(Circuits).get('Prices.quote')?.calls).toBe(1);
  });

  it('leaves the class alone, so that two applications share nothing', async () => {
    const { app } = await start({ pricing: {} }, { providers: [Prices, Instead] });
    expect(Object.hasOwn(app.get(Prices), 'price')).toBe(true);
    expect(await new Prices().price('a')).toBe('a costs 1');
  });

  it('keeps what Nest knows of a controller’s method', async () => {
    @Controller()
    class Shop {
      @Get()
      @UseGuards(
        class {
          canActivate() {
            return true;
          }
        },
      )
      @Resilient()
      async list() {
        return ['a'];
      }
    }
    const { app } = await start({}, { controllers: [Shop] });
    const list: unknown = app.get(Shop)['list'];
    expect(Reflect.getMetadata('path', list as object)).toBe('/');
    expect(Reflect.getMetadata('__guards__', list as object)).toHaveLength(1);
    expect(await app.get(Shop).list()).toEqual(['a']);
  });

  it.each<[string, PolicyOptions & ResilientOptions]>([
    ['falls back to Lost.nowhere, which is no method', { fallback: 'nowhere' }],
    ['falls back to Absent, which is no provider', { fallback: class Absent {} }],
    ['has options that are wrong', { retry: -1 }],
  ])('stops the start when a mark %s', async (sentence, options) => {
    @Injectable()
    class Lost {
      @Resilient(options)
      async find() {
        return 1;
      }
    }
    const wrong = options.retry === -1 ? 'resilience.policies.Lost.find.retry.attempts' : sentence;
    await expect(start({}, { providers: [Lost] })).rejects.toThrow(wrong);
  });

  it('stops the start on a class that is made for each request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Passing {
      @Resilient()
      async find() {
        return 1;
      }
    }
    await expect(start({}, { providers: [Passing] })).rejects.toThrow(
      '@Resilient is on a method of Passing, which is made anew for each request.',
    );
  });
});

describe('a policy in the configuration', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('goes before the options, and changes while the application runs', async () => {
    const source = new MemorySource({ resilience: { policies: { narrow: { bulkhead: 1 } } } });
    const { resilience, clock, happened } = await start(
      { narrow: { bulkhead: 5, timeout: '1m' } },
      { imports: [ConfigClientModule.forRoot({ name: 'shop', source })] },
    );
    const full = async (count: number) => {
      const calls = Array.from({ length: count }, () =>
        outcome(resilience.execute('narrow', () => later(clock, 10))),
      );
      await clock.advance(10);
      return (await Promise.all(calls)).filter((each) => 'error' in each).length;
    };
    expect(await full(3)).toBe(2);
    source.set({ resilience: { policies: { narrow: { bulkhead: 2 } } } });
    await clock.advance(0);
    expect(await full(3)).toBe(1);
    expect(happened).toContain('policy.changed');
    const said = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    source.set({ resilience: { policies: { narrow: { bulkhead: 'many' } } } });
    await clock.advance(0);
    expect(await full(3)).toBe(1);
    expect(said).toHaveBeenCalledWith(
      'The policy "narrow" stays as it was: resilience.policies.narrow.bulkhead.concurrency is \'many\', not a whole number. The default is 10.',
    );
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RetryLaterError } from '../../lib/discovery/discovery.errors.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import type { ServiceView } from '../../lib/discovery/service-view.js';
import { ServiceWatch } from '../../lib/discovery/service-watch.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { ControlledBackend, instance } from './support/controlled-backend.js';

const one = instance({ id: 'one' });
const two = instance({ id: 'two' });
const three = instance({ id: 'three' });

/** The same as the registry sends it again. */
const again = (given: ServiceInstance) => JSON.parse(JSON.stringify(given)) as ServiceInstance;

describe('a watched service', () => {
  let clock: FakeClock;
  let backend: ControlledBackend;
  let watch: ServiceWatch;
  let views: ServiceView[];
  let said: string[];
  let health: unknown[];

  function open(holds: { emptyHold?: number; returnHold?: number } = {}): ServiceWatch {
    return new ServiceWatch('orders', {
      source: backend.source,
      clock,
      mostWait: 15_000,
      emptyHold: holds.emptyHold ?? 5_000,
      returnHold: holds.returnHold ?? 15_000,
      onView: (view) => views.push(view),
      onBroken: (error) => health.push(error),
      onAnswer: () => health.push('answer'),
      onListenerError: (error) => said.push(`listener: ${String(error)}`),
      warn: (message) => said.push(message),
    });
  }

  async function show(...instances: Parameters<ControlledBackend['show']>[1][]): Promise<void> {
    backend.show('orders', ...instances);
    await clock.advance(0);
  }

  async function breakStream(error?: unknown): Promise<void> {
    backend.break('orders', error);
    await clock.advance(0);
  }

  const ids = () => watch.view.all.map(({ id }) => id);

  beforeEach(() => {
    clock = new FakeClock();
    backend = new ControlledBackend();
    views = [];
    said = [];
    health = [];
    watch = open();
  });
  afterEach(() => watch.close());

  it('knows nothing before the first answer, and says so', async () => {
    expect(watch.answered).toBe(false);
    expect(watch.view).toMatchObject({ instances: [], all: [], stale: false });
    await show();
    expect(watch.answered).toBe(true);
    await watch.ready();
    expect(views).toHaveLength(1);
  });

  it('tells which instances are new, others or gone', async () => {
    await show(one, two);
    const changed = { ...two, weight: 2 };
    await show(changed, three);
    expect(watch.view).toMatchObject({ added: [three], removed: [one], changed: [changed] });
    expect(ids()).toEqual(['two', 'three']);
  });

  it('keeps the object of an instance that did not change', async () => {
    await show(one, two);
    const [before] = watch.view.all;
    await show(again(one), { ...two, status: 'down' });
    expect(watch.view.all[0]).toBe(before);
  });

  it('stays silent when a snapshot brings nothing new', async () => {
    await show(one, two);
    const { view } = watch;
    await show(again(one), again(two));
    expect(views).toHaveLength(1);
    expect(watch.view).toBe(view);
  });

  it('gives only instances that take traffic to callers', async () => {
    await show(
      one,
      { ...two, status: 'degraded' },
      { ...three, status: 'down' },
      instance({ id: 'four', status: 'draining' }),
    );
    expect(watch.view.instances.map(({ id }) => id)).toEqual(['one', 'two']);
    expect(watch.view.all).toHaveLength(4);
  });

  it('believes at once that a single instance is gone', async () => {
    await show(one);
    await show();
    expect(ids()).toEqual([]);
    expect(said).toEqual([]);
  });

  it('believes at once that instances leave one by one, to the last', async () => {
    await show(one, two);
    await show(two);
    expect(ids()).toEqual(['two']);
    await show();
    expect(ids()).toEqual([]);
  });

  it('doubts for a while that several instances are gone at once, and says so once', async () => {
    await show(one, two);
    await show();
    await clock.advance(2_000);
    await show();
    await clock.advance(2_999);
    expect(ids()).toEqual(['one', 'two']);
    await clock.advance(1);
    expect(ids()).toEqual([]);
    expect(said).toEqual([
      'The registry shows none of the 2 instances of "orders" any more. They stay in use for 5s, in case it is mistaken.',
    ]);
  });

  it('forgets the doubt when instances are shown again', async () => {
    await show(one, two);
    await show();
    await show(one);
    expect(ids()).toEqual(['one']);
    await clock.advance(10_000);
    expect(ids()).toEqual(['one']);
  });

  it('doubts nothing when told not to', async () => {
    watch.close();
    watch = open({ emptyHold: 0 });
    await show(one, two);
    await show();
    expect(ids()).toEqual([]);
  });

  it('keeps what it knew while the stream is broken, and calls it stale', async () => {
    await show(one, two);
    await breakStream();
    expect(watch.view).toMatchObject({ all: [one, two], stale: true, removed: [] });
    await show(one, two);
    await clock.advance(1_000);
    expect(watch.view).toMatchObject({ all: [one, two], stale: false });
    expect(health).toEqual(['answer', new Error('the registry is away'), 'answer']);
  });

  it('keeps what a returned registry does not show yet, until it has had time to fill', async () => {
    await show(one, two);
    await breakStream();
    await show(three);
    await clock.advance(1_000);
    expect(ids()).toEqual(['three', 'one', 'two']);
    await show(three, one);
    expect(ids()).toEqual(['three', 'one', 'two']);
    await clock.advance(15_000);
    expect(ids()).toEqual(['three', 'one']);
  });

  it('lets an instance go that was shown again after the return and then left', async () => {
    await show(one, two);
    await breakStream();
    await show(one);
    await clock.advance(1_000);
    await show();
    expect(ids()).toEqual(['two']);
  });

  it('keeps even a single instance when the registry comes back empty without a return hold', async () => {
    watch.close();
    watch = open({ returnHold: 0 });
    await show(one);
    await breakStream();
    await show();
    await clock.advance(1_000);
    expect(ids()).toEqual(['one']);
    expect(watch.view.stale).toBe(false);
    await clock.advance(5_000);
    expect(ids()).toEqual([]);
  });

  it('does not let a doubt end while the stream is broken', async () => {
    await show(one, two);
    await show();
    await breakStream();
    await clock.advance(60_000);
    expect(ids()).toEqual(['one', 'two']);
    expect(watch.view.stale).toBe(true);
  });

  it('knows what the registry itself shows, whatever is held', async () => {
    await show(one, two);
    await show();
    expect(ids()).toEqual(['one', 'two']);
    expect(watch.shows('one')).toBe(false);
  });

  it('leaves a registry alone for as long as it asks', async () => {
    await show(one);
    await breakStream(new RetryLaterError('too many requests', 8_000));
    expect(watch.view.stale).toBe(true);
    await clock.advance(7_999);
    expect(backend.source.of('orders').opened).toBe(1);
    await clock.advance(300);
    expect(backend.source.of('orders').opened).toBe(2);
  });

  it('tells the others when one listener throws', async () => {
    const heard: ServiceView[] = [];
    watch.onChange(() => {
      throw new Error('oops');
    });
    const stop = watch.onChange((view) => heard.push(view));
    await show(one);
    await show(two);
    expect(heard).toHaveLength(2);
    expect(said).toEqual(['listener: Error: oops', 'listener: Error: oops']);
    stop();
    await show(three);
    expect(heard).toHaveLength(2);
  });

  it('hears nothing more once it is closed', async () => {
    await show(one);
    watch.close();
    await show(two);
    expect(ids()).toEqual(['one']);
    expect(clock.waiting).toBe(0);
  });
});

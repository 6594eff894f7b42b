import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { DiscoveryClient } from '../../lib/discovery/discovery-client.js';
import { readDiscoveryOptions } from '../../lib/discovery/discovery.options.js';
import { Reachability } from '../../lib/discovery/reachability.js';
import { ScreenedSource } from '../../lib/discovery/screened-source.js';
import type { ServiceView } from '../../lib/discovery/service-view.js';
import { ServiceWatches } from '../../lib/discovery/service-watches.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { listenToLog } from './support/application.js';
import { ControlledBackend, instance } from './support/controlled-backend.js';

const one = instance({ id: 'one' });
const two = instance({ id: 'two' });

describe('the discovery client', () => {
  let clock: FakeClock;
  let backend: ControlledBackend;
  let events: EventHub;
  let reachability: Reachability;
  let watches: ServiceWatches;
  let client: DiscoveryClient;
  let heard: string[];
  let log: ReturnType<typeof listenToLog>;

  beforeEach(() => {
    clock = new FakeClock();
    backend = new ControlledBackend();
    events = new EventHub();
    heard = [];
    events.onAny((name) => heard.push(name));
    reachability = new Reachability(backend, clock, events);
    const settings = readDiscoveryOptions({}, {});
    const source = new ScreenedSource(backend, settings, events);
    watches = new ServiceWatches(source, settings, clock, events, reachability);
    client = new DiscoveryClient(watches, clock, source);
    log = listenToLog();
  });
  afterEach(() => {
    watches.close();
    log.stop();
  });

  it('begins to watch a service when it is first asked for, and answers at once from then on', async () => {
    expect(backend.source.watched.size).toBe(0);
    expect(client.instances('orders')).toEqual([]);
    backend.show('orders', one, instance({ id: 'two', status: 'down' }));
    await clock.advance(0);
    expect(client.instances('orders')).toEqual([one]);
    expect(client.view('orders').all).toHaveLength(2);
    expect(backend.source.of('orders').opened).toBe(1);
  });

  it('gives the same list until something changes', async () => {
    backend.show('orders', one);
    client.instances('orders');
    await clock.advance(0);
    const list = client.instances('orders');
    backend.show('orders', instance({ id: 'one' }));
    await clock.advance(0);
    expect(client.instances('orders')).toBe(list);
  });

  it.each(['', 'Orders', 'a/b', '../x', 'a'.repeat(64)])(
    'opens no watch for %j, which cannot be a service',
    (name) => {
      expect(() => client.instances(name)).toThrow(`'${name}' cannot be the name of a service.`);
      expect(backend.source.watched.size).toBe(0);
    },
  );

  it('announces changes, and nothing when a registry only repeats itself', async () => {
    client.instances('orders');
    for (let round = 0; round < 3; round++) backend.show('orders', instance({ id: 'one' }));
    await clock.advance(0);
    expect(heard).toEqual(['instances.changed']);
    backend.show('orders', one, two);
    await clock.advance(0);
    expect(heard).toEqual(['instances.changed', 'instances.changed']);
  });

  it('replays the newest view to whoever comes late, and ends with the application', async () => {
    client.instances('orders');
    backend.show('orders', one);
    backend.show('orders', one, two);
    await clock.advance(0);
    const seen: (readonly string[])[] = [];
    let completed = false;
    const subscription = client.watch('orders').subscribe({
      next: (view) => seen.push(view.instances.map(({ id }) => id)),
      complete: () => (completed = true),
    });
    expect(seen).toEqual([['one', 'two']]);
    backend.show('orders', two);
    await clock.advance(0);
    expect(seen).toEqual([['one', 'two'], ['two']]);
    watches.close();
    expect(completed).toBe(true);
    expect(subscription.closed).toBe(true);
  });

  it('emits nothing before the first answer, and nothing after unsubscribing', async () => {
    const seen: ServiceView[] = [];
    const subscription = client.watch('orders').subscribe((view) => seen.push(view));
    expect(seen).toEqual([]);
    backend.show('orders');
    await clock.advance(0);
    expect(seen).toHaveLength(1);
    subscription.unsubscribe();
    backend.show('orders', one);
    await clock.advance(0);
    expect(seen).toHaveLength(1);
  });

  it('tells listeners of every view until they stop, whatever the others do', async () => {
    const seen: number[] = [];
    client.onChange('orders', () => {
      throw new Error('oops');
    });
    const stop = client.onChange('orders', (view) => seen.push(view.instances.length));
    backend.show('orders', one);
    backend.show('orders', one, two);
    await clock.advance(0);
    stop();
    backend.show('orders', two);
    await clock.advance(0);
    expect(seen).toEqual([1, 2]);
    expect(log.lines).toEqual(Array(3).fill('A listener to discovery threw'));
  });

  it('lists all services, and tells when there are others', async () => {
    const seen: (readonly string[])[] = [];
    expect(client.services()).toEqual([]);
    const stop = client.onServices((names) => seen.push(names));
    backend.source.list.push({ snapshot: ['orders'] });
    await clock.advance(0);
    expect(client.services()).toEqual(['orders']);
    stop();
    backend.source.list.push({ snapshot: ['orders', 'payments'] });
    await clock.advance(0);
    expect(client.services()).toEqual(['orders', 'payments']);
    expect(seen).toEqual([['orders']]);
  });

  it('waits for the first answer', async () => {
    const ready = client.ready('orders');
    await clock.advance(1_000);
    backend.show('orders', one);
    await clock.advance(0);
    expect((await ready).instances).toEqual([one]);
    expect((await client.ready('orders')).instances).toEqual([one]);
    expect(clock.waiting).toBe(0);
  });

  it('does not wait longer than it is told to', async () => {
    const ready = client.ready('orders', '2s');
    await clock.advance(2_000);
    expect((await ready).instances).toEqual([]);
  });

  it('tells once that the registry is away, and once that it is back, whatever was asked of it', async () => {
    client.instances('orders');
    client.instances('payments');
    client.services();
    backend.show('orders', one);
    await clock.advance(0);
    heard.length = 0;
    backend.break('orders');
    backend.break('payments');
    backend.source.list.push({ error: new Error('the registry is away') });
    await clock.advance(0);
    expect(heard.filter((name) => name !== 'view.aged')).toEqual(['registry.unreachable']);
    expect(client.view('orders')).toMatchObject({ stale: true, instances: [one] });
    expect(reachability.since).toBe(clock.wallTime());
    backend.show('orders', one);
    backend.show('payments');
    await clock.advance(1_000);
    expect(reachability.reason).toBe('the registry is away');
    backend.source.list.push({ snapshot: [] });
    await clock.advance(1_000);
    expect(heard.filter((name) => name !== 'view.aged')).toEqual([
      'registry.unreachable',
      'registry.reachable',
    ]);
    expect(reachability.reason).toBeUndefined();
    expect(client.view('orders').stale).toBe(false);
    expect(log.lines).toHaveLength(1);
  });

  it('keeps what is missing after a break only as long as the backend says', async () => {
    backend.returnHold = 100;
    client.instances('orders');
    backend.show('orders', one, two);
    await clock.advance(0);
    backend.break('orders');
    await clock.advance(1_000);
    backend.show('orders', one);
    await clock.advance(99);
    expect(client.instances('orders')).toHaveLength(2);
    await clock.advance(1);
    expect(client.instances('orders')).toEqual([one]);
  });

  it('keeps what it knows readable when it is closed, and opens nothing more', async () => {
    client.instances('orders');
    backend.show('orders', one);
    await clock.advance(0);
    watches.close();
    backend.show('payments', two);
    expect(client.instances('orders')).toEqual([one]);
    expect(client.instances('payments')).toEqual([]);
    await clock.advance(0);
    expect(client.instances('payments')).toEqual([]);
    expect(client.services()).toEqual([]);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import type { Live } from '../../../lib/common/live.js';
import { composite } from '../../../lib/discovery/backends/composite.backend.js';
import { memory, MemoryHub } from '../../../lib/discovery/backends/memory.backend.js';
import { staticInstances } from '../../../lib/discovery/backends/static.backend.js';
import type { BackendFactory } from '../../../lib/discovery/discovery-backend.js';
import { describeDiscoveryBackend } from '../../../lib/testing/discovery-backend.contract.js';
import { eventually } from '../../support/eventually.js';
import { ControlledBackend } from '../support/controlled-backend.js';
import { makeContext, makeInstance } from './support/backend-fixtures.js';
import { follow, followServices } from './support/follow.js';

const { signal } = new AbortController();
const hubs = [new MemoryHub(), new MemoryHub()] as const;

describeDiscoveryBackend('composite', () => composite(memory(hubs[0]), memory(hubs[1])), {
  describe,
  it,
});

const given =
  (backend: ControlledBackend): BackendFactory =>
  () =>
    backend;

describe('composite', () => {
  const lives: { close(): void }[] = [];
  afterEach(() => lives.splice(0).forEach((live) => live.close()));
  const keep = <T>(live: Live<T>) => {
    lives.push(live);
    return live;
  };
  it('believes the first that has instances of a service', async () => {
    const fixed = staticInstances({ payments: ['http://10.0.0.1:80'] });
    const backend = composite(fixed, memory())(makeContext());
    await backend.registry?.register(makeInstance({ service: 'payments' }), signal);
    await backend.registry?.register(makeInstance(), signal);
    const [payments, orders] = [keep(follow(backend, 'payments')), keep(follow(backend, 'orders'))];
    const names = keep(followServices(backend));
    await eventually(() => {
      expect(payments.current.map(({ host }) => host)).toEqual(['10.0.0.1']);
      expect(orders.current).toEqual([makeInstance()]);
      expect(names.current).toEqual(['orders', 'payments']);
    });
  });

  it('asks the second while the first does not answer, and keeps what the first had if the second has nothing', async () => {
    const [first, second] = [new ControlledBackend(), new ControlledBackend()];
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const backend = composite(given(first), given(second))(makeContext({ warn }));
    const live = keep(follow(backend, 'orders'));
    const [one, two] = [makeInstance({ id: 'one' }), makeInstance({ id: 'two' })];
    first.show('orders', one);
    second.show('orders');
    await eventually(() => expect(live.current).toEqual([one]));
    first.break('orders');
    await eventually(() => expect(warnings).toHaveLength(1));
    expect(live.current).toEqual([one]);
    second.show('orders', two);
    await eventually(() => expect(live.current).toEqual([two]));
    first.show('orders', one);
    await eventually(() => expect(live.current).toEqual([one]));
    expect(live.error).toBeUndefined();
  });

  it('fails only when all fail', async () => {
    const [first, second] = [new ControlledBackend(), new ControlledBackend()];
    const backend = composite(given(first), given(second))(makeContext());
    const live = keep(follow(backend, 'orders'));
    first.show('orders', makeInstance());
    second.show('orders');
    await live.ready();
    first.break('orders');
    second.break('orders', new Error('both are away'));
    await eventually(() => expect(String(live.error)).toContain('away'));
    expect(live.current).toEqual([makeInstance()]);
  });

  it('keeps an instance in every registry it can reach, and enters the others when they are back', async () => {
    const [first, second] = [new ControlledBackend(), new ControlledBackend()];
    second.registry.failure = new Error('away');
    const backend = composite(given(first), given(second))(makeContext());
    const lease = await backend.registry?.register(makeInstance(), signal);
    expect(await lease?.renew('up', signal)).toBe('ok');
    expect(second.registry.registrations).toHaveLength(0);
    second.registry.failure = undefined;
    expect(await lease?.renew('degraded', signal)).toBe('ok');
    expect(second.registry.registrations.map(({ status }) => status)).toEqual(['degraded']);
    first.registry.answer = 'lost';
    expect(await lease?.renew('up', signal)).toBe('ok');
    expect(first.registry.registrations).toHaveLength(2);
    first.registry.failure = second.registry.failure = new Error('all are away');
    await expect(lease?.renew('up', signal)).rejects.toThrow('all are away');
  });

  it('refuses to be made of nothing', () => {
    expect(() => composite()).toThrow('composite has no backend');
  });
});

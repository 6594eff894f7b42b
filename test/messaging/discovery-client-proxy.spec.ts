import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type INestApplication, Logger } from '@nestjs/common';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { RequestContext } from '../../lib/common/request-context.js';
import { MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import type { DiscoveryClientProxy } from '../../lib/messaging/discovery-client-proxy.js';
import { NoTcpPortError } from '../../lib/messaging/messaging.errors.js';
import type { MessagingOptions } from '../../lib/messaging/messaging.options.js';
import {
  NoEndpointError,
  UpstreamConnectionError,
  UpstreamTimeoutError,
} from '../../lib/upstream/upstream.errors.js';
import { eventually } from '../support/eventually.js';
import { kill, Ledger, startOrders, startPayments } from './applications.js';

let hub: MemoryHub;
let running: INestApplication[] = [];
let orders: INestApplication;

async function payments(tcp = true): Promise<INestApplication> {
  const app = await startPayments(hub, tcp);
  running.push(app);
  return app;
}

async function client(options: MessagingOptions = {}): Promise<DiscoveryClientProxy> {
  const started = await startOrders(hub, options);
  orders = started.app;
  running.push(orders);
  return started.payments;
}

function handledBy(app: INestApplication): readonly unknown[] {
  return app.get(Ledger).handled;
}

/** Sends so many messages, a few at a time; `during` is called when a third of them are answered. */
async function load(
  proxy: DiscoveryClientProxy,
  count: number,
  during: () => void,
): Promise<{ answers: number[]; errors: unknown[] }> {
  const answers: number[] = [];
  const errors: unknown[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const id = next++;
      if (id === Math.floor(count / 3)) during();
      await firstValueFrom(proxy.send<number>('charge', { id, ms: 5 })).then(
        (answer) => answers.push(answer),
        (error: unknown) => errors.push(error),
      );
    }
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  return { answers, errors };
}

beforeEach(() => {
  hub = new MemoryHub();
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const app of running.toReversed()) await app.close();
  running = [];
});

describe('DiscoveryClientProxy.send', () => {
  it('shares messages among the instances of a service', async () => {
    const [one, other] = await Promise.all([payments(), payments()]);
    const { answers } = await load(await client(), 40, () => {});
    expect(answers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    expect(handledBy(one).length).toBeGreaterThan(10);
    expect(handledBy(other).length).toBeGreaterThan(10);
  });

  it('loses nothing when an instance dies under load and messages may be sent twice', async () => {
    const [dying] = [await payments(), await payments()];
    const proxy = await client({ services: { payments: { idempotent: ['charge'] } } });
    const { answers, errors } = await load(proxy, 300, () => kill(dying));
    expect(errors).toEqual([]);
    expect(new Set(answers).size).toBe(300);
  });

  it('sends no message twice that may not be, and says which were under way', async () => {
    const [dying, other] = [await payments(), await payments()];
    const { answers, errors } = await load(await client(), 300, () => kill(dying));
    expect(answers.length + errors.length).toBe(300);
    // No more than were under way at the dying instance.
    expect(errors.length).toBeLessThanOrEqual(10);
    for (const error of errors) expect(error).toMatchObject({ sent: true, statusCode: 502 });
    const handled = [...handledBy(dying), ...handledBy(other)];
    expect(new Set(handled).size).toBe(handled.length);
  });

  it('uses an instance that comes later, and none that has left', async () => {
    const first = await payments();
    const proxy = await client();
    await firstValueFrom(proxy.send('charge', { id: 1 }));
    const second = await payments();
    await eventually(async () => {
      await firstValueFrom(proxy.send('charge', { id: 2 }));
      expect(handledBy(second).length).toBeGreaterThan(0);
    });
    await first.close();
    running = running.filter((app) => app !== first);
    const { errors } = await load(proxy, 50, () => {});
    expect(errors).toEqual([]);
  });

  it('gets the answers that are under way when an instance leaves', async () => {
    const leaving = await payments();
    const proxy = await client();
    const answers = Promise.all(
      Array.from({ length: 20 }, (_, id) =>
        firstValueFrom(proxy.send<number>('charge', { id, ms: 600 })),
      ),
    );
    await eventually(() => expect(handledBy(leaving)).toHaveLength(20));
    await leaving.close();
    running = running.filter((app) => app !== leaving);
    expect(await answers).toHaveLength(20);
  });

  it('gives up after the timeout', async () => {
    await payments();
    const proxy = await client({ services: { payments: { timeout: '100ms' } } });
    const begun = performance.now();
    await expect(firstValueFrom(proxy.send('charge', { id: 1, ms: 1_000 }))).rejects.toThrow(
      UpstreamTimeoutError,
    );
    expect(performance.now() - begun).toBeLessThan(900);
  });

  it('says so when nobody is registered', async () => {
    const proxy = await client();
    await expect(firstValueFrom(proxy.send('charge', { id: 1 }))).rejects.toThrow(NoEndpointError);
  });

  it('says what to do when no instance takes messages', async () => {
    await payments(false);
    const proxy = await client();
    await expect(firstValueFrom(proxy.send('charge', { id: 1 }))).rejects.toThrow(NoTcpPortError);
  });

  it('passes by instances that take no messages', async () => {
    await payments(false);
    const talking = await payments();
    const { errors } = await load(await client(), 30, () => {});
    expect(errors).toEqual([]);
    expect(handledBy(talking)).toHaveLength(30);
  });

  it('says that nobody could be reached, when all are dead', async () => {
    const [one, other] = [await payments(), await payments()];
    kill(one);
    kill(other);
    const proxy = await client();
    const failed = firstValueFrom(proxy.send('charge', { id: 1 }));
    await expect(failed).rejects.toThrow(UpstreamConnectionError);
    await expect(failed).rejects.toMatchObject({ sent: false, service: 'payments' });
  });

  it('gives what the other side threw as Nest does', async () => {
    await payments();
    const proxy = await client();
    await expect(firstValueFrom(proxy.send('refuse', {}))).rejects.toMatchObject({
      message: 'no money',
    });
    await expect(firstValueFrom(proxy.send('nothing', {}))).rejects.toMatch(/no matching/);
    await expect(firstValueFrom(proxy.send('charge', null))).rejects.toThrow(
      /invalid data or message pattern/,
    );
  });

  it('gives every value of a stream', async () => {
    await payments();
    const proxy = await client();
    expect(await firstValueFrom(proxy.send('count', {}).pipe(toArray()))).toEqual([1, 2, 3]);
  });

  it('blames no instance for what cannot be written as JSON', async () => {
    await payments();
    const proxy = await client();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    await expect(firstValueFrom(proxy.send('charge', circle))).rejects.toThrow(TypeError);
    expect(await firstValueFrom(proxy.send('charge', { id: 7 }))).toBe(7);
  });

  it('hears nothing more after it was unsubscribed from', async () => {
    const app = await payments();
    const proxy = await client();
    const heard: unknown[] = [];
    const subscription = proxy.send('charge', { id: 1, ms: 30 }).subscribe((id) => heard.push(id));
    await eventually(() => expect(handledBy(app)).toHaveLength(1));
    subscription.unsubscribe();
    await pause(60);
    expect(heard).toEqual([]);
  });

  it("runs the handler inside of the caller's request", async () => {
    await payments();
    const proxy = await client();
    const context = orders.get(RequestContext);
    const scope = context.open({ 'x-correlation-id': 'order-7', tracestate: 'ignored=1' });
    const there = await context.run(scope, () => firstValueFrom(proxy.send('context', {})));
    expect(there).toMatchObject({
      correlationId: 'order-7',
      trace: { traceId: scope.trace.traceId },
    });
    expect(there).not.toMatchObject({ trace: { spanId: scope.trace.spanId } });
    expect(await firstValueFrom(proxy.send('context', {}))).toMatchObject({
      trace: { traceId: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it('lets a hook add to what travels along', async () => {
    await payments();
    const proxy = await client();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    proxy.setOnDispatchHook((packet) => (packet.metadata = { traceparent }));
    expect(await firstValueFrom(proxy.send('context', {}))).toMatchObject({
      trace: { traceId: 'a'.repeat(32) },
    });
  });
});

describe('DiscoveryClientProxy.emit', () => {
  it('reaches exactly one instance, with the correlation id of the request', async () => {
    const apps = [await payments(), await payments()];
    const proxy = await client();
    const context = orders.get(RequestContext);
    await context.run(context.open({ 'x-correlation-id': 'order-7' }), () =>
      lastValueFrom(proxy.emit('paid', { id: 1 })),
    );
    const events = () => apps.flatMap((app) => app.get(Ledger).events);
    await eventually(() =>
      expect(events()).toEqual([{ event: { id: 1 }, correlationId: 'order-7' }]),
    );
  });

  it('sends at once, without anybody who subscribes', async () => {
    const app = await payments();
    const proxy = await client();
    proxy.emit('paid', { id: 1 });
    await eventually(() => expect(app.get(Ledger).events).toHaveLength(1));
  });

  it('goes to another instance when one cannot be connected to', async () => {
    const [dead, alive] = [await payments(), await payments()];
    const proxy = await client();
    await proxy.connect();
    kill(dead);
    for (let id = 0; id < 10; id++) await lastValueFrom(proxy.emit('paid', { id }));
    await eventually(() => expect(alive.get(Ledger).events).toHaveLength(10));
  });

  it('says so when there is nobody to send to', async () => {
    const proxy = await client();
    await expect(lastValueFrom(proxy.emit('paid', {}))).rejects.toThrow(NoEndpointError);
  });

  it('says so when nobody can be reached', async () => {
    kill(await payments());
    const proxy = await client();
    await expect(lastValueFrom(proxy.emit('paid', {}))).rejects.toThrow(UpstreamConnectionError);
  });

  it('logs an event that is lost while nobody listens', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const proxy = await client();
    proxy.emit('paid', {});
    await eventually(() =>
      expect(logged).toHaveBeenCalledWith(
        'An event for "payments" is lost: No endpoint of "payments" can take a request: no instance is registered.',
      ),
    );
  });
});

describe('DiscoveryClientProxy', () => {
  it('has no single socket to unwrap', async () => {
    const proxy = await client();
    expect(() => proxy.unwrap()).toThrow(/no single socket/);
  });
});

describe('the deadline of a request', () => {
  it('goes along with a message and limits it, and an event has none', async () => {
    const app = await payments();
    const proxy = await client();
    const context = orders.get(RequestContext);
    const scope = context.open({ 'x-rookery-deadline': '150' });
    const there = (await context.run(scope, () => firstValueFrom(proxy.send('context', {})))) as {
      deadline: number;
    };
    expect(there.deadline).toBeGreaterThan(0);
    const late = context.open({ 'x-rookery-deadline': '100' });
    const begun = performance.now();
    await expect(
      context.run(late, () => firstValueFrom(proxy.send('charge', { id: 1, ms: 2_000 }))),
    ).rejects.toThrow(UpstreamTimeoutError);
    expect(performance.now() - begun).toBeLessThan(1_500);
    const over = context.open({ 'x-rookery-deadline': '0' });
    await expect(
      context.run(over, () => firstValueFrom(proxy.send('charge', { id: 2 }))),
    ).rejects.toMatchObject({ code: 'ERR_DEADLINE_EXCEEDED' });
    await context.run(over, () => lastValueFrom(proxy.emit('paid', { id: 3 })));
    await eventually(() => expect(app.get(Ledger).events).toHaveLength(1));
    expect(handledBy(app)).toEqual([1]);
  });

  it('keeps a message from its handler when it came too late', async () => {
    const app = await payments();
    const proxy = await client();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    proxy.setOnDispatchHook(
      (packet) => (packet.metadata = { traceparent, 'x-rookery-deadline': '0' }),
    );
    await expect(firstValueFrom(proxy.send('charge', { id: 1 }))).rejects.toMatchObject({
      message: 'The time that the caller waits was over before the message came.',
    });
    expect(handledBy(app)).toEqual([]);
  });
});

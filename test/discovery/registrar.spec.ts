import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { embedded } from '../../lib/discovery/backends/embedded.backend.js';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { staticInstances } from '../../lib/discovery/backends/static.backend.js';
import { DiscoveryClient } from '../../lib/discovery/discovery-client.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import type { DiscoveryOptions } from '../../lib/discovery/discovery.options.js';
import { LocalInstance } from '../../lib/discovery/local-instance.js';
import { Registrar } from '../../lib/discovery/registrar.js';
import { HealthAggregator } from '../../lib/health/health-aggregator.js';
import { HealthContributor, type HealthStatus } from '../../lib/health/health-contributor.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { freePort } from './backends/support/backend-fixtures.js';
import { eventually } from '../support/eventually.js';
import {
  closeAt,
  createApplication,
  eventsOf,
  listenToLog,
  portOf,
  startApplication,
} from './support/application.js';
import { ControlledBackend } from './support/controlled-backend.js';

@Injectable()
class Database extends HealthContributor {
  override readonly name = 'database';
  status: HealthStatus = 'up';
  override check() {
    return { status: this.status };
  }
}

describe('the registrar', () => {
  let clock: FakeClock;
  let backend: ControlledBackend;
  let log: ReturnType<typeof listenToLog>;
  let app: INestApplication | undefined;

  const controlled = (options: DiscoveryOptions = {}): DiscoveryOptions => ({
    name: 'orders',
    backend: () => backend,
    ...options,
  });

  async function start(options: DiscoveryOptions = {}): Promise<INestApplication> {
    const metadata = { providers: [Database] };
    app = await startApplication({ discovery: controlled(options), clock, ...metadata });
    await clock.advance(0);
    return app;
  }

  beforeEach(() => {
    clock = new FakeClock();
    backend = new ControlledBackend();
    log = listenToLog();
  });
  afterEach(async () => {
    backend.registry.failure = undefined;
    if (app) await closeAt(clock, app);
    app = undefined;
    log.stop();
  });

  it('registers with the real port of listen(0), and an id of this process alone', async () => {
    const running = await start({ zone: 'a', version: '1.2.3', weight: 2, tags: ['blue'] });
    const port = portOf(running);
    expect(backend.registry.registrations).toEqual([
      {
        id: expect.stringMatching(new RegExp(`^orders-127\\.0\\.0\\.1-${port}-[0-9a-z]{4}$`)),
        service: 'orders',
        host: '127.0.0.1',
        port,
        ports: {},
        scheme: 'http',
        status: 'up',
        weight: 2,
        zone: 'a',
        version: '1.2.3',
        tags: ['blue'],
        metadata: {},
      },
    ]);
    expect(running.get(LocalInstance).current?.port).toBe(port);
  });

  it('registers nothing before the application listens', async () => {
    app = await createApplication({ discovery: controlled(), clock });
    await app.init();
    await clock.advance(10_000);
    expect(backend.registry.calls).toEqual([]);
    expect(app.get(LocalInstance).current).toBeUndefined();
  });

  it('registers what the user says instead of what it finds', async () => {
    await start({ host: 'orders.internal', port: 443, scheme: 'https' });
    expect(backend.registry.registrations[0]).toMatchObject({
      host: 'orders.internal',
      port: 443,
      scheme: 'https',
    });
  });

  it('registers again when the registry has forgotten it', async () => {
    const events = eventsOf(await start());
    await clock.advance(20_000);
    backend.registry.answer = 'lost';
    while (events.length === 0) await clock.advance(100);
    backend.registry.answer = 'ok';
    expect(events).toEqual(['lease.lost', 'instance.registered']);
    // It heals by itself, so nobody is warned.
    expect(log.lines).toEqual([]);
  });

  it('registers again when its own registry does not show it, and says so once', async () => {
    await start();
    backend.show('orders');
    await clock.advance(60_000);
    expect(backend.registry.registrations.length).toBeGreaterThan(3);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]).toContain('does not show it');
    const [self] = backend.registry.registrations;
    if (self) backend.show('orders', self);
    await clock.advance(6_000);
    const { length } = backend.registry.registrations;
    await clock.advance(60_000);
    expect(backend.registry.registrations).toHaveLength(length);
  });

  it('lets the application start without a registry, warns once, and registers when it is back', async () => {
    backend.registry.failure = new Error('connect ECONNREFUSED 127.0.0.1:8500');
    const running = await start();
    const events = eventsOf(running);
    await clock.advance(120_000);
    expect(running.get(Registrar).pending).toBe(true);
    expect(log.lines).toEqual([
      'The registry "controlled" does not answer (registration: connect ECONNREFUSED 127.0.0.1:8500). This service works on with what it knows and tries again until it does.',
    ]);
    backend.registry.failure = undefined;
    await clock.advance(5_500);
    expect(running.get(Registrar).registered?.port).toBe(portOf(running));
    expect(events.filter((name) => name !== 'health.changed')).toEqual([
      'instance.registered',
      'registry.reachable',
    ]);
  });

  it('tells the registry how the service is, as soon as it is otherwise', async () => {
    const running = await start();
    running.get(Database).status = 'degraded';
    await running.get(HealthAggregator).refresh();
    await clock.advance(0);
    expect(backend.registry.calls).toEqual(['register up', 'renew degraded']);
  });

  it('tells what a person says of it, until they leave it to health again', async () => {
    const running = await start();
    running.get(Registrar).report('down');
    await clock.advance(0);
    running.get(Registrar).report(undefined);
    await clock.advance(0);
    expect(backend.registry.calls).toEqual(['register up', 'renew down', 'renew up']);
  });

  it('registers again with what is announced later, under the same id', async () => {
    const running = await start({ tags: ['blue'], metadata: { team: 'shop' } });
    running.get(LocalInstance).announce({ ports: { tcp: 4001 }, tags: ['blue', 'canary'] });
    running.get(LocalInstance).announce({ metadata: { build: '7' } });
    await clock.advance(0);
    const [first, last] = [
      backend.registry.registrations[0],
      backend.registry.registrations.at(-1),
    ];
    expect(last).toMatchObject({
      id: first?.id,
      ports: { tcp: 4001 },
      tags: ['blue', 'canary'],
      metadata: { team: 'shop', build: '7' },
    });
    expect(() => running.get(LocalInstance).announce({ metadata: { 'a.b': '' } })).toThrow(
      "metadata['a.b'] is no key that every registry can carry",
    );
  });

  it('takes itself back when the application closes, and the backend is closed last', async () => {
    const running = await start();
    const events = eventsOf(running);
    await closeAt(clock, running);
    app = undefined;
    await clock.advance(60_000);
    expect(backend.registry.calls).toEqual(['register up', 'revoke']);
    expect(events).toEqual(['availability.changed', 'instance.deregistered']);
    expect(backend.closed).toBe(1);
    expect(running.get(Registrar).registered).toBeUndefined();
  });

  it('says why it cannot register an application that listens on a unix socket', async () => {
    app = await createApplication({ discovery: controlled(), clock });
    await app.listen(`/tmp/rookery-registrar-${process.pid}.sock`);
    await clock.advance(0);
    expect(backend.registry.calls).toEqual([]);
    expect(log.lines).toEqual([
      `This application listens on /tmp/rookery-registrar-${process.pid}.sock, which callers cannot reach, so it is not registered. Listen on a TCP port, or set discovery.host and discovery.port to where a proxy answers for it.`,
    ]);
  });

  it('registers a unix socket under the address of the proxy before it', async () => {
    const discovery = controlled({ host: '10.0.0.7', port: 80 });
    app = await createApplication({ discovery, clock });
    await app.listen(`/tmp/rookery-registrar-${process.pid}.sock`);
    await clock.advance(0);
    expect(backend.registry.registrations[0]).toMatchObject({ host: '10.0.0.7', port: 80 });
  });

  it('never writes a loopback address of its own choice into a registry of other machines', async () => {
    backend = new ControlledBackend(true);
    await start();
    const written = backend.registry.registrations.map(({ host }) => host);
    expect(written).not.toContain('127.0.0.1');
    expect(log.lines).toEqual([
      expect.stringMatching(
        /^(This machine has no address that others could reach|Callers are given .+, but the server listens on 127\.0\.0\.1 only)/,
      ),
    ]);
  });

  it('writes a loopback address the user insists on, with a warning', async () => {
    backend = new ControlledBackend(true);
    await start({ host: '127.0.0.1' });
    expect(backend.registry.registrations[0]?.host).toBe('127.0.0.1');
    expect(log.lines).toEqual([
      'discovery.host is 127.0.0.1: only callers on this machine reach this instance, though the registry "controlled" serves others too.',
    ]);
  });

  it('leaves an application alone that only looks', async () => {
    const running = await start({ register: false });
    running.get(Registrar).start(4001);
    await clock.advance(10_000);
    expect(backend.registry.calls).toEqual([]);
    expect(running.get(Registrar).registers).toBe(false);
  });

  it('refuses to start when it must register where nothing can be registered', async () => {
    const made = staticInstances({ payments: ['http://10.0.0.9:80'] });
    const create = await createApplication({
      discovery: { name: 'orders', backend: made, register: true },
    });
    await expect(create.init()).rejects.toThrow(
      'discovery.register is true, but nothing can be registered with the backend "static". Choose another backend, or leave it out.',
    );
    await create.close();
  });

  it('refuses to start without a name, but not where it only looks', async () => {
    const nameless = await createApplication({ discovery: { backend: memory() } });
    await expect(nameless.init()).rejects.toThrow('This service has no name.');
    await nameless.close();
    app = await startApplication({ discovery: { backend: memory(), register: false }, clock });
    expect(app.get(Registrar).registers).toBe(false);
  });
});

describe('an application without an HTTP server', () => {
  it('registers by hand, and leaves by itself', async () => {
    const hub = new MemoryHub();
    const options = { name: 'worker', backend: memory(hub), drain: { delay: 0 } };
    const app = await NestFactory.createApplicationContext(DiscoveryModule.forRoot(options), {
      logger: false,
    });
    app.get(Registrar).start(4001);
    app.get(Registrar).start(4002);
    const table = hub.table('default');
    await eventually(() => expect(table.instances('worker')).toHaveLength(1));
    expect(table.instances('worker')[0]).toMatchObject({ host: '127.0.0.1', port: 4001 });
    await app.close();
    expect(table.instances('worker')).toEqual([]);
  });
});

describe.each([
  ['memory', () => Promise.resolve(memory(new MemoryHub()))],
  ['embedded', async () => embedded({ port: await freePort() })],
])('two applications over one registry, %s', (_name, make) => {
  it('find each other, and notice when the other leaves', async () => {
    const backend = await make();
    const discovery = (name: string) => ({ name, backend, drain: { delay: 0 } });
    const orders = await startApplication({ discovery: discovery('orders') });
    const payments = await startApplication({ discovery: discovery('payments') });
    const client = payments.get(DiscoveryClient);
    await eventually(() => {
      expect(client.instances('orders').map(({ port }) => port)).toEqual([portOf(orders)]);
      expect(client.services()).toEqual(['orders', 'payments']);
    });
    const seen = orders.get(DiscoveryClient);
    await eventually(() => expect(seen.instances('payments')).toHaveLength(1));
    await orders.close();
    await eventually(() => {
      expect(client.instances('orders')).toEqual([]);
      expect(client.services()).toEqual(['payments']);
    });
    await payments.close();
  });
});

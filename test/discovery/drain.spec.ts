import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type BeforeApplicationShutdown,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { EventHub } from '../../lib/common/event-hub.js';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { DiscoveryClient } from '../../lib/discovery/discovery-client.js';
import type { DrainOptions } from '../../lib/discovery/discovery.options.js';
import { Drain } from '../../lib/discovery/drain.js';
import { RequestsInFlight } from '../../lib/discovery/requests-in-flight.js';
import { Availability } from '../../lib/health/availability.js';
import { eventually } from '../support/eventually.js';
import { listenToLog, portOf, startApplication } from './support/application.js';

/** What happened in an application, in order, and the requests that wait for a test to let them go. */
@Injectable()
class Journal {
  readonly lines: string[] = [];
  readonly held: (() => void)[] = [];
}

/** The kind of provider that makes a late registrar fail: closed while requests still want it. */
@Injectable()
class Database implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  open = true;
  constructor(private readonly journal: Journal) {}
  onModuleDestroy(): void {
    this.open = false;
    this.journal.lines.push('onModuleDestroy');
  }
  beforeApplicationShutdown(): void {
    this.journal.lines.push('beforeApplicationShutdown');
  }
  onApplicationShutdown(): void {
    this.journal.lines.push('onApplicationShutdown');
  }
}

@Controller('orders')
class OrdersController {
  constructor(
    private readonly database: Database,
    private readonly journal: Journal,
  ) {}

  @Get()
  now() {
    return { open: this.database.open };
  }

  @Get('held')
  async held() {
    await new Promise<void>((resolve) => this.journal.held.push(resolve));
    this.journal.lines.push('answered');
    return { open: this.database.open };
  }
}

interface Answer {
  readonly body: unknown;
  readonly connection: string | undefined;
}

/** One GET; rejects when it fails in any way. */
function request(port: number, path: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, ...(agent && { agent }) };
    const sent = get(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ body: JSON.parse(body), connection: response.headers.connection }),
      );
    });
    sent.on('error', reject);
  });
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('draining on %s', (_name, adapter) => {
  let hub: MemoryHub;
  let agent: Agent;
  let log: ReturnType<typeof listenToLog>;
  const apps: INestApplication[] = [];

  async function start(drain: DrainOptions = { delay: '20ms' }): Promise<INestApplication> {
    const app = await startApplication({
      adapter: adapter(),
      discovery: { name: 'orders', backend: memory(hub), drain },
      controllers: [OrdersController],
      providers: [Database, Journal],
    });
    apps.push(app);
    const { lines } = app.get(Journal);
    app.get(EventHub).on('availability.changed', ({ to }) => lines.push(to));
    app.get(EventHub).on('instance.deregistered', () => lines.push('left the registry'));
    await eventually(() => expect(registered()).toContain(portOf(app)));
    return app;
  }

  const registered = () =>
    hub
      .table('default')
      .instances('orders')
      .map(({ port }) => port);

  /** Sends a request that is held until `release`; gives control when it has arrived. */
  async function hold(app: INestApplication) {
    const { held } = app.get(Journal);
    const answer = request(portOf(app), '/orders/held', agent);
    answer.catch(() => undefined);
    await eventually(() => expect(held).toHaveLength(1));
    return { answer, release: () => held.forEach((each) => each()) };
  }

  beforeEach(() => {
    hub = new MemoryHub();
    agent = new Agent({ keepAlive: true });
    log = listenToLog();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) {
      for (const release of app.get(Journal).held) release();
      await app.close();
    }
    agent.destroy();
    log.stop();
  });

  const POLITE = [
    'draining',
    'left the registry',
    'answered',
    'onModuleDestroy',
    'beforeApplicationShutdown',
    'onApplicationShutdown',
  ];

  it('answers a request in its middle from providers that still work, ahead of every hook', async () => {
    const app = await start();
    const { lines } = app.get(Journal);
    const { answer, release } = await hold(app);
    const closed = app.close();
    await eventually(() => expect(lines).toEqual(POLITE.slice(0, 2)));
    expect(registered()).toEqual([]);
    release();
    expect(await answer).toMatchObject({ body: { open: true } });
    await closed;
    expect(lines).toEqual(POLITE);
  });

  it('does so without beforeClose too, which Nest 11 does not call', async () => {
    const app = await start();
    Object.assign(app.getHttpAdapter(), { beforeClose: undefined });
    const { lines } = app.get(Journal);
    const { answer, release } = await hold(app);
    const closed = app.close();
    await eventually(() => expect(lines).toEqual(POLITE.slice(0, 2)));
    release();
    expect(await answer).toMatchObject({ body: { open: true } });
    await closed;
    expect(lines).toEqual(POLITE);
  });

  it('answers as ever while peers get to notice, and then ends connections behind each answer', async () => {
    const app = await start({ delay: '150ms' });
    const { answer, release } = await hold(app);
    const closed = app.close();
    await eventually(() => expect(registered()).toEqual([]));
    expect(app.get(Availability).state).toBe('draining');
    const during = await request(portOf(app), '/orders', agent);
    expect(during).toEqual({ body: { open: true }, connection: 'keep-alive' });
    await eventually(async () => {
      const after = await request(portOf(app), '/orders', agent);
      expect(after).toEqual({ body: { open: true }, connection: 'close' });
    });
    release();
    expect((await answer).connection).toBe('close');
    await closed;
  });

  it('does not wait for connections that have nothing to say, or never said anything', async () => {
    const app = await start();
    const many = new Agent({ keepAlive: true, maxSockets: 5 });
    await Promise.all(Array.from({ length: 5 }, () => request(portOf(app), '/orders', many)));
    const silent = connect(portOf(app), '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    const begun = performance.now();
    await app.close();
    expect(performance.now() - begun).toBeLessThan(1_000);
    silent.destroy();
    many.destroy();
  });

  it('cuts off after the limit what nobody answers, and says how much', async () => {
    const app = await start({ delay: 0, limit: '150ms' });
    const { answer } = await hold(app);
    await app.close();
    await expect(answer).rejects.toThrow('socket hang up');
    expect(log.lines).toEqual([
      'Requests that were not answered within 150ms of draining are cut off: 1.',
    ]);
  });

  it('leaves once, however often it is asked to', async () => {
    const app = await start();
    const { lines } = app.get(Journal);
    const { answer, release } = await hold(app);
    const drained = app.get(Drain).run();
    const closed = app.close();
    await eventually(() => expect(lines).toEqual(POLITE.slice(0, 2)));
    release();
    await Promise.all([answer, drained, closed]);
    expect(lines).toEqual(POLITE);
  });

  it('does not wait for pipelined requests whose connection is gone', async () => {
    const app = await start();
    const socket = connect(portOf(app), '127.0.0.1');
    const { held } = app.get(Journal);
    socket.write('GET /orders/held HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await eventually(() => expect(held.length).toBeGreaterThan(0));
    await eventually(() => expect(app.get(RequestsInFlight).count).toBe(3));
    socket.destroy();
    await eventually(() => expect(app.get(RequestsInFlight).count).toBe(0));
  });

  it('costs no request of a client that keeps connections and follows the registry', async () => {
    const [first, second] = [await start(), await start()];
    const client = second.get(DiscoveryClient);
    await eventually(() => expect(client.instances('orders')).toHaveLength(2));
    const served = new Map<number, number>();
    let failed = 0;
    let closed: Promise<void> | undefined;
    const caller = async (offset: number) => {
      for (let n = 0; n < 100; n++) {
        const instances = client.instances('orders');
        const { port } = instances[(n + offset) % instances.length] ?? { port: 0 };
        const answer = await request(port, '/orders', agent).catch(() => undefined);
        if ((answer?.body as { open?: boolean } | undefined)?.open !== true) failed++;
        served.set(port, (served.get(port) ?? 0) + 1);
        if (n === 30 && offset === 0) closed = first.close();
      }
    };
    const port = portOf(first);
    await Promise.all([0, 1, 2, 3].map(caller));
    await closed;
    expect(failed).toBe(0);
    expect(served.get(port)).toBeGreaterThan(30);
    expect([...served.values()].reduce((sum, each) => sum + each)).toBe(400);
    expect(registered()).toEqual([portOf(second)]);
  });
});

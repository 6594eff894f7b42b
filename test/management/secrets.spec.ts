import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { request } from 'node:http';
import { Controller, Get, type INestApplication, Logger, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { ServiceClient } from '../../lib/client/service-client.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { GatewayRoute } from '../../lib/discovery/manifest/gateway-route.decorator.js';
import { RookeryModule } from '../../lib/rookery.module.js';
import type { RookeryOptions } from '../../lib/rookery.options.js';
import { RookeryLogger } from '../../lib/telemetry/rookery-logger.js';
import { eventually } from '../support/eventually.js';

jest.setTimeout(20_000);

/** What is seeded everywhere, and must be found nowhere: in clear, as base64, and as a URL writes it. */
const SECRET = 'hunter2/Zx81+q==';
const FORMS = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64')];
const TOKEN = 'an-operator-token-of-some-length';

const exporter = new InMemorySpanExporter();
const apps: INestApplication[] = [];
let seen: string[] = [];

@GatewayRoute('/api/orders')
@Controller('orders')
class OrdersController {
  private readonly logger = new Logger('Orders');

  constructor(private readonly client: ServiceClient) {}

  @Get()
  list(): string {
    this.logger.log('listing', { headers: { authorization: `Bearer ${SECRET}` }, token: SECRET });
    this.logger.warn(`GET https://shop:${encodeURIComponent(SECRET)}@db/x?api_key=${SECRET}`);
    return 'ok';
  }

  @Post()
  place(): never {
    const cause = Object.assign(new Error(`password=${SECRET}`), { config: { auth: SECRET } });
    throw new Error(`connect amqp://user:${encodeURIComponent(SECRET)}@queue`, { cause });
  }

  @Get('call')
  async call(): Promise<unknown> {
    return this.client.get('nobody', `/x?token=${SECRET}`, {
      headers: { authorization: `Bearer ${SECRET}` },
    });
  }
}

async function start(name: string, options: RookeryOptions, hub: MemoryHub): Promise<string> {
  @Module({
    imports: [
      RookeryModule.forRoot({
        name,
        discovery: { backend: memory(hub), host: '127.0.0.1' },
        logs: {
          destination: { write: (line) => seen.push(line) },
          accessLog: true,
          level: 'trace',
        },
        metrics: true,
        health: { details: 'always' },
        management: {
          token: TOKEN,
          info: { team: 'shop', deploy: { apiToken: SECRET, url: `https://ci:${SECRET}@build/1` } },
        },
        ...options,
      }),
    ],
    controllers: name === 'orders' ? [OrdersController] : [],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { abortOnError: false, bufferLogs: true });
  app.useLogger(app.get(RookeryLogger));
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

beforeEach(() => {
  seen = [];
  exporter.reset();
  process.env['ORDERS_DB_PASSWORD'] = SECRET;
  process.env['DATABASE_URL'] = `postgres://shop:${encodeURIComponent(SECRET)}@db/shop`;
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      seen.push(String(text));
      return true;
    });
  }
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
});

afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
  jest.restoreAllMocks();
  trace.disable();
  context.disable();
  delete process.env['ORDERS_DB_PASSWORD'];
  delete process.env['DATABASE_URL'];
});

/** Sends what browsers and careless clients send; fetch refuses some of these headers. */
function send(url: string, method: string): Promise<number> {
  const headers = {
    authorization: `Bearer ${SECRET}`,
    'proxy-authorization': `Basic ${Buffer.from(SECRET).toString('base64')}`,
    cookie: `session=${SECRET}`,
    'x-api-key': SECRET,
    'x-correlation-id': `has ${SECRET}`,
    baggage: `password=${SECRET}`,
    'content-type': 'application/json',
  };
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent: false }, (answer) => {
      answer.setEncoding('utf8');
      seen.push(JSON.stringify(answer.rawHeaders));
      answer.on('data', (text: string) => seen.push(text));
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    call.once('error', reject).end(method === 'GET' ? '' : JSON.stringify({ card: SECRET }));
  });
}

/** A rule that quotes what it refuses, as careless ones do. */
function validate(tree: unknown): void {
  const text = JSON.stringify(tree);
  if (text.includes('"limit":"')) throw new Error(`bad: ${text}`);
}

const PAGES = [
  '',
  'info',
  'env',
  'env/db.password',
  'loggers',
  'routes',
  'circuits',
  'discovery',
  'health',
  'metrics',
  'metrics/rookery_gateway_requests_total',
  'mappings',
  'targets',
];

describe('a secret', () => {
  it('that is in headers, URLs, bodies, configuration, environment and errors is shown nowhere', async () => {
    const hub = new MemoryHub();
    const source = new MemorySource({
      'db.password': SECRET,
      'db.url': `postgres://shop:${encodeURIComponent(SECRET)}@db/shop`,
    });
    const orders = await start('orders', { config: { source, validate } }, hub);
    const gateway = await start(
      'gateway',
      { config: false, gateway: { accessLog: true, routes: [{ path: '/gone', to: 'nobody' }] } },
      hub,
    );
    await eventually(async () => {
      expect((await fetch(`${gateway}/api/orders`)).status).toBe(200);
    });
    const query = `?token=${encodeURIComponent(SECRET)}&password=${encodeURIComponent(SECRET)}`;
    for (const base of [`${gateway}/api/orders`, `${orders}/orders`]) {
      expect(await send(base + query, 'GET')).toBe(200);
      expect(await send(base + query, 'POST')).toBe(500);
      expect(await send(`${base}/call${query}`, 'GET')).toBe(503);
    }
    expect(await send(`${gateway}/gone${query}`, 'GET')).toBe(503);
    // Nest itself repeats the target of what it does not find, to the one who sent it.
    expect(await send(`${gateway}/nowhere`, 'GET')).toBe(404);
    source.set({ 'db.password': SECRET, limit: 'many' });
    await eventually(() => expect(seen.join('')).toContain('bad: '));
    for (const base of [orders, gateway]) {
      for (const page of PAGES) await send(`${base}/management/${encodeURIComponent(page)}`, 'GET');
      for (const page of PAGES) {
        const headers = { authorization: `Bearer ${TOKEN}` };
        seen.push(await (await fetch(`${base}/management/${page}`, { headers })).text());
      }
      seen.push(await (await fetch(`${base}/health`)).text());
    }
    const spans = exporter.getFinishedSpans();
    seen.push(
      JSON.stringify(spans.map(({ name, attributes, events }) => [name, attributes, events])),
    );
    const all = seen.join('\n');
    for (const form of FORMS) {
      const at = all.indexOf(form);
      expect(at < 0 ? '' : all.slice(Math.max(0, at - 200), at + 60)).toBe('');
    }
    // That nothing was found must not be because nothing was looked at.
    for (const word of [
      '"db.password":{"value":"******"',
      '"team":"shop"',
      '"apiToken":"[hidden]"',
      '"authorization":"[hidden]"',
      'request proxied',
      'request answered',
      'rookery_gateway_requests_total',
      '"name":"rookery_gateway_requests_total"',
      '"handler":"OrdersController.place"',
      'amqp://[hidden]@queue',
    ]) {
      expect(all).toContain(word);
    }
    expect(spans.length).toBeGreaterThan(10);
  });
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { networkInterfaces } from 'node:os';
import { Controller, Get, type INestApplication, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { ManagementListener } from '../../lib/management/management-listener.js';
import { readManagementOptions } from '../../lib/management/management.options.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { RookeryLogger } from '../../lib/telemetry/rookery-logger.js';
import { RookeryModule } from '../../lib/rookery.module.js';
import type { RookeryOptions } from '../../lib/rookery.options.js';
import { eventually } from '../support/eventually.js';

jest.setTimeout(20_000);

const TOKEN = 'a-token-of-enough-length';
/** What is seeded everywhere, and must be found nowhere. */
const SECRET = 'hunter2-Zx81';

@Controller('orders')
class OrdersController {
  private readonly logger = new Logger('Orders');

  @Get(':id')
  find(): string {
    this.logger.debug('a detail');
    this.logger.log({
      headers: { authorization: `Bearer ${SECRET}`, cookie: SECRET, 'user-agent': 'test' },
      body: { card: SECRET },
      dbPassword: SECRET,
      url: `https://shop:${SECRET}@db.example/x?token=${SECRET}`,
    });
    this.logger.error(new Error(`cannot reach amqp://user:${SECRET}@queue, password=${SECRET}`));
    return 'ok';
  }
}

let app: INestApplication | undefined;
let lines: Record<string, unknown>[] = [];
let url = '';

beforeEach(() => {
  lines = [];
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  delete process.env['ORDERS_API_KEY'];
});

async function start(options: RookeryOptions = {}, host = '127.0.0.1'): Promise<void> {
  @Module({
    imports: [
      RookeryModule.forRoot({
        name: 'orders',
        version: '1.2.3',
        discovery: { backend: memory(new MemoryHub()), host: '127.0.0.1' },
        logs: { destination: { write: (line) => lines.push(JSON.parse(line)) }, accessLog: true },
        metrics: true,
        ...options,
      }),
    ],
    controllers: [OrdersController],
  })
  class AppModule {}
  app = await NestFactory.create(AppModule, { abortOnError: false, bufferLogs: true });
  app.useLogger(app.get(RookeryLogger));
  await app.listen(0, host);
  url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
}

async function get(path: string, headers: Record<string, string> = {}, base = url) {
  const answer = await fetch(base + path, { headers });
  const text = await answer.text();
  return { code: answer.status, text, json: () => JSON.parse(text) as Record<string, unknown> };
}

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const details = () => lines.filter(({ msg }) => msg === 'a detail').length;

const PAGES = [
  '',
  '/info',
  '/env',
  '/loggers',
  '/routes',
  '/circuits',
  '/discovery',
  '/health',
  '/metrics',
  '/mappings',
  '/targets',
];

describe('the management endpoints', () => {
  it('tell a caller on this machine what runs here', async () => {
    await start();
    for (const page of PAGES)
      expect([page, (await get(`/management${page}`)).code]).toEqual([page, 200]);
    expect((await get('/management/info')).json()).toMatchObject({
      app: { name: 'orders', version: '1.2.3' },
      build: { artifact: 'nest-rookery' },
    });
    expect((await get('/management/health')).json()).toMatchObject({
      status: 'UP',
      components: { discovery: { status: 'UP' } },
      groups: ['liveness', 'readiness', 'startup'],
    });
    expect((await get('/management/routes')).text).toContain(
      '{"method":"GET","path":"/orders/:id"}',
    );
    const { self } = (await get('/management/discovery')).json();
    expect(self).toMatchObject({ host: '127.0.0.1' });
    expect((await get('/management')).json()).toMatchObject({
      _links: { info: { href: `${url.replace('http://', 'http://')}/management/info` } },
    });
    expect((await get('/management/nothing')).code).toBe(404);
  });

  it('are not there for a stranger', async () => {
    await start();
    const strangers: Record<string, string>[] = [
      { 'x-forwarded-for': '203.0.113.7' },
      { forwarded: 'for=203.0.113.7' },
      { origin: 'https://evil.example' },
      { authorization: 'Bearer wrong-but-long-enough', via: '1.1 proxy' },
    ];
    for (const headers of strangers) {
      for (const page of [...PAGES.map((each) => `/management${each}`), '/metrics']) {
        const { code, text } = await get(page, headers);
        expect([page, code, text.includes('orders')]).toEqual([page, 404, false]);
      }
    }
  });

  it('are open from another address to whoever brings the token, and to nobody else', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    await start({ management: { token: TOKEN } }, '0.0.0.0');
    const bearer = { authorization: `Bearer ${TOKEN}` };
    expect((await get('/management/env', { ...bearer, 'x-forwarded-for': '1.2.3.4' })).code).toBe(
      200,
    );
    expect((await post('/management/loggers/ROOT', { configuredLevel: 'WARN' })).status).toBe(403);
    expect(
      (await post('/management/loggers/ROOT', { configuredLevel: 'WARN' }, bearer)).status,
    ).toBe(204);
    if (address === undefined) return;
    const outside = url.replace(/\/\/[^:]+/, `//${address}`);
    expect((await get('/management/env', {}, outside)).code).toBe(404);
    expect((await get('/metrics', {}, outside)).code).toBe(404);
    expect((await get('/management/env', bearer, outside)).code).toBe(200);
    expect((await get('/metrics', bearer, outside)).code).toBe(200);
  });

  it('can stand on a port of their own, and then not on the service\u2019s', async () => {
    await start({ management: { port: 0, path: '/actuator' } });
    const own = `http://127.0.0.1:${app?.get(ManagementListener).port}`;
    expect((await get('/actuator/health', {}, own)).code).toBe(200);
    expect((await get('/health/readiness', {}, own)).json()).toMatchObject({ status: 'UP' });
    expect((await get('/metrics', {}, own)).text).toContain('rookery_service_info');
    expect((await get('/actuator/env', { via: 'x' }, own)).code).toBe(404);
    expect((await get('/actuator/info')).code).toBe(404);
  });

  it('show metrics and handlers as Spring Boot Admin asks for them', async () => {
    await start({ management: { path: '/actuator' } });
    await get('/orders/1');
    await get('/orders/2');
    const accept = 'application/vnd.spring-boot.actuator.v2+json, application/json';
    const { names } = (await get('/actuator/metrics', { accept })).json();
    expect(names).toContain('http_server_request_duration_seconds_count');
    const name = 'http_server_request_duration_seconds_count';
    await eventually(async () => {
      const route = encodeURIComponent('http_route:/orders/:id');
      const found = await get(`/actuator/metrics/${name}?tag=${route}`, { accept });
      expect(found.json()).toEqual({
        name,
        measurements: [{ statistic: 'COUNT', value: 2 }],
        availableTags: [
          { tag: 'http_request_method', values: ['GET'] },
          { tag: 'http_response_status_code', values: ['200'] },
          { tag: 'service', values: ['orders'] },
        ],
      });
    });
    expect((await get('/actuator/metrics/nothing')).code).toBe(404);
    const { contexts } = (await get('/actuator/mappings')).json();
    expect(JSON.stringify(contexts)).toContain('{"handler":"OrdersController.find"');
    expect(JSON.stringify(contexts)).toContain('"methods":["GET"],"patterns":["/orders/:id"]');
  });

  it('change what is logged, by hand and by configuration', async () => {
    const source = new MemorySource({});
    await start({ config: { source } });
    await get('/orders/1');
    expect(details()).toBe(0);
    expect((await post('/management/loggers/Orders', { configuredLevel: 'DEBUG' })).status).toBe(
      204,
    );
    await get('/orders/1');
    expect(details()).toBe(1);
    expect((await get('/management/loggers/Orders')).json()).toEqual({
      configuredLevel: 'DEBUG',
      effectiveLevel: 'DEBUG',
    });
    expect((await post('/management/loggers/Orders', { configuredLevel: null })).status).toBe(204);
    expect((await post('/management/loggers/Orders', { configuredLevel: 'LOUD' })).status).toBe(
      400,
    );
    const plain = { 'content-type': 'text/plain' };
    expect((await post('/management/loggers/Orders', {}, plain)).status).toBe(400);
    await get('/orders/1');
    expect(details()).toBe(1);
    source.set({ 'logging.level.Orders': 'debug', 'logging.level.root': 'WARN' });
    await eventually(() => expect(app?.get(RookeryLogger).level).toBe('warn'));
    await get('/orders/1');
    expect(details()).toBe(2);
    source.set({});
    await eventually(() => expect(app?.get(RookeryLogger).level).toBe('info'));
  });

  it('write a line for each request, with its route and its ids', async () => {
    await start();
    const traceId = 'a'.repeat(32);
    await get('/orders/7?token=x', { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` });
    await eventually(() => {
      const access = lines.find(({ context }) => context === 'Access');
      expect(access).toMatchObject({
        method: 'GET',
        path: '/orders/7',
        route: '/orders/:id',
        status: 200,
        traceId,
        service: 'orders',
        version: '1.2.3',
        msg: 'request answered',
      });
    });
    expect(lines.find(({ context }) => context === 'Orders')).toMatchObject({
      route: '/orders/:id',
    });
  });

  it('show no secret, and neither does any line or error', async () => {
    process.env['ORDERS_API_KEY'] = SECRET;
    const source = new MemorySource({
      'db.password': SECRET,
      'db.url': `postgres://shop:${SECRET}@db/shop`,
      'orders.api.key': 'overridden',
    });
    await start({ config: { source }, management: { token: `${TOKEN}-${SECRET}` } });
    const headers = { authorization: `Bearer ${TOKEN}-${SECRET}`, cookie: SECRET };
    const seen: string[] = [];
    await get(`/orders/1?password=${SECRET}`, headers);
    for (const page of [...PAGES, '/env/db.password', '/loggers/Orders', '/nothing']) {
      seen.push((await get(`/management${page}`, headers)).text);
    }
    seen.push((await get('/metrics', headers)).text, (await get('/health', headers)).text);
    await eventually(() => expect(lines.some(({ context }) => context === 'Access')).toBe(true));
    seen.push(JSON.stringify(lines));
    expect(seen.join('\n')).not.toContain(SECRET);
    expect(seen.join('\n')).toContain('"db.password":{"value":"******"');
    expect(seen.join('\n')).toContain('"origin":"ORDERS_API_KEY"');
    const logged = lines.find(({ context, data }) => context === 'Orders' && data)?.['data'];
    expect(logged).toEqual({
      headers: { authorization: '[hidden]', cookie: '[hidden]', 'user-agent': 'test' },
      body: { card: '[hidden]' },
      dbPassword: '[hidden]',
      url: 'https://[hidden]@db.example/x?token=[hidden]',
    });
  });
});

describe('the options of management', () => {
  it.each([
    [{ token: 'short' }, 'management.token is too short to be a secret.'],
    [{ path: 'actuator' }, "management.path is 'actuator'. Write it like '/management'."],
    [{ prot: 1 }, 'management.prot is not an option. Did you mean "port"?'],
  ])('refuse %j', (options, sentence) => {
    expect(() => readManagementOptions(options, 'management')).toThrow(sentence);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { request } from 'node:http';
import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  Post,
  ServiceUnavailableException,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern } from '@nestjs/microservices';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import type { ClientProxy } from '@nestjs/microservices';
import { apiKeys, hashApiKey } from '../../../lib/security/authenticators/api-key.authenticator.js';
import { ServiceClient } from '../../../lib/client/service-client.js';
import { memory, MemoryHub } from '../../../lib/discovery/backends/memory.backend.js';
import { GatewayRoute } from '../../../lib/discovery/manifest/gateway-route.decorator.js';
import { DiscoverableTcpServer } from '../../../lib/messaging/discoverable-tcp-server.js';
import { InjectClient } from '../../../lib/messaging/inject-client.decorator.js';
import { MessagingModule } from '../../../lib/messaging/messaging.module.js';
import { RookeryLogger } from '../../../lib/telemetry/rookery-logger.js';
import { RookeryModule } from '../../../lib/rookery.module.js';
import type { RookeryOptions } from '../../../lib/rookery.options.js';
import { eventually } from '../../support/eventually.js';

jest.setTimeout(15_000);

const exporter = new InMemorySpanExporter();
const apps: INestApplication[] = [];
const lines: Record<string, unknown>[] = [];
const paid: unknown[] = [];
let hub: MemoryHub;

@Controller('stock')
class StockController {
  @Get(':sku')
  find(): object {
    return { left: 3 };
  }
}

@Injectable()
class Orders {
  constructor(
    readonly client: ServiceClient,
    @InjectClient('payments') readonly payments: ClientProxy,
  ) {}
}

@Controller('orders')
class OrdersController {
  constructor(private readonly orders: Orders) {}

  @GatewayRoute('/api/orders')
  @Post()
  async place(): Promise<object> {
    const stock = await this.orders.client.get('inventory', '/stock/apple?secret=1');
    this.orders.payments.emit('order.placed', { id: 7 }).subscribe();
    return { stock };
  }
}

@Controller()
class PaymentsController {
  constructor(private readonly logger: RookeryLogger) {}

  @EventPattern('order.placed')
  pay(order: unknown): void {
    this.logger.log('An order was paid', 'Payments');
    paid.push(order);
  }
}

@Controller('broken')
class BrokenController {
  @GatewayRoute('/api/broken')
  @Get()
  fail(): never {
    throw new ServiceUnavailableException();
  }
}

async function start(
  name: string,
  rest: {
    options?: RookeryOptions;
    controllers?: object[];
    providers?: object[];
    messaging?: boolean;
  },
): Promise<INestApplication> {
  const { options, controllers = [], providers = [], messaging } = rest;
  @Module({
    imports: [
      RookeryModule.forRoot({
        name,
        config: false,
        discovery: { backend: memory(hub), host: '127.0.0.1' },
        logs: {
          destination: { write: (line: string) => lines.push(JSON.parse(line)) },
          accessLog: true,
        },
        ...options,
      }),
      ...(messaging ? [MessagingModule.forRoot(), MessagingModule.forFeature(['payments'])] : []),
    ],
    controllers: controllers as never,
    providers: providers as never,
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: false });
  if (name === 'payments') {
    app.connectMicroservice({ strategy: app.get(DiscoverableTcpServer) });
    await app.startAllMicroservices();
  }
  await app.listen(0, '127.0.0.1');
  apps.push(app);
  return app;
}

async function startShop(): Promise<string> {
  hub = new MemoryHub();
  await start('inventory', { controllers: [StockController] });
  await start('payments', { controllers: [PaymentsController], messaging: true });
  await start('orders', { controllers: [OrdersController], providers: [Orders], messaging: true });
  const written = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    lines.push(
      ...String(text)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    return true;
  });
  restore = () => written.mockRestore();
  const gateway = await start('gateway', {
    options: {
      gateway: {
        accessLog: true,
        routes: [
          { path: '/api/closed', to: 'orders', auth: { scopes: ['all'] } },
          { path: '/api/gone', to: 'http://127.0.0.1:1' },
        ],
        security: {
          access: 'public',
          authenticators: [apiKeys({ keys: [{ id: 'billing', hash: hashApiKey(KEY) }] })],
        },
      },
    },
  });
  const url = await gateway.getUrl();
  await eventually(async () => {
    const probe = await fetch(`${url}/api/orders`, {
      method: 'POST',
      headers: { traceparent: UNSAMPLED },
    });
    expect(probe.status).toBe(201);
  });
  return url;
}

const UNSAMPLED = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00`;
const TRACE = 'a'.repeat(32);
const KEY = 'k'.repeat(40);
let restore = () => {};

afterEach(async () => {
  for (const app of apps.toReversed()) await app.close();
  apps.length = 0;
  restore();
});

describe('an order that goes through the shop', () => {
  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const provider = new BasicTracerProvider({
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(1) }),
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    trace.setGlobalTracerProvider(provider);
  });

  afterAll(() => {
    trace.disable();
    context.disable();
    propagation.disable();
  });

  it('is one trace with every hop, and nothing where the caller did not sample', async () => {
    const url = await startShop();
    await eventually(() => expect(paid).not.toEqual([]));
    expect(exporter.getFinishedSpans()).toEqual([]);
    lines.length = 0;
    const before = paid.length;
    const traceparent = `00-${TRACE}-${'b'.repeat(16)}-01`;
    const headers = { traceparent, baggage: 'tenant=7' };
    const answer = await fetch(`${url}/api/orders?token=hidden`, { method: 'POST', headers });
    expect(answer.status).toBe(201);
    await eventually(() => {
      expect(paid.length).toBe(before + 1);
      expect(
        exporter
          .getFinishedSpans()
          .map(({ kind, name }) => `${kind} ${name}`)
          .toSorted(),
      ).toEqual([
        '1 GET /stock/:sku',
        '1 POST /api/orders',
        '1 POST /orders',
        '2 GET',
        '2 POST',
        '3 send payments',
        '4 process order.placed',
      ]);
    });

    const spans = exporter.getFinishedSpans();
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([TRACE]));
    const named = new Map(spans.map((span) => [`${span.kind} ${span.name}`, span]));
    const parentOf = (name: string) => {
      const id = named.get(name)?.parentSpanContext?.spanId;
      return [...named].find(([, span]) => span.spanContext().spanId === id)?.[0] ?? id;
    };
    // 1 server, 2 client, 3 producer, 4 consumer.
    expect(parentOf('1 POST /api/orders')).toBe('b'.repeat(16));
    expect(parentOf('2 POST')).toBe('1 POST /api/orders');
    expect(parentOf('1 POST /orders')).toBe('2 POST');
    expect(named.get('2 POST')?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 201,
      'rookery.upstream': 'orders',
      'server.address': '127.0.0.1',
    });
    expect(parentOf('2 GET')).toBe('1 POST /orders');
    expect(parentOf('1 GET /stock/:sku')).toBe('2 GET');
    expect(parentOf('3 send payments')).toBe('1 POST /orders');
    expect(parentOf('4 process order.placed')).toBe('3 send payments');
    expect(named.get('1 GET /stock/:sku')?.attributes).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/stock/:sku',
      'http.response.status_code': 200,
      'url.path': '/stock/apple',
    });
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toMatch(/hidden|secret/);
    await eventually(() => {
      const services = lines
        .filter((line) => line['traceId'] === TRACE)
        .map((line) => line['service']);
      expect(new Set(services)).toEqual(new Set(['gateway', 'orders', 'inventory', 'payments']));
    });
  });

  it('has a step for each instance that is tried', async () => {
    const url = await startShop();
    await start('broken', { controllers: [BrokenController] });
    await start('broken', { controllers: [BrokenController] });
    await eventually(async () => {
      exporter.reset();
      await fetch(`${url}/api/broken`);
      const spans = await finished();
      const tries = spans.filter(({ kind, name }) => kind === SpanKind.CLIENT && name === 'GET');
      expect(tries.map(({ attributes }) => attributes['http.request.resend_count'])).toEqual([
        undefined,
        1,
      ]);
      expect(tries.map(({ attributes }) => attributes['error.type'])).toEqual(['_OTHER', '503']);
      const called = spans.filter(({ name }) => name === 'GET /broken');
      expect(new Set(called.map(({ parentSpanContext }) => parentSpanContext?.spanId))).toEqual(
        new Set(tries.map((span) => span.spanContext().spanId)),
      );
    });
  });

  it.each([
    ['/api/closed', 'GET /api/closed', 401],
    ['/api/gone', 'GET /api/gone', 502],
    ['/api/gone', 'HTTP', 400],
  ])('is recorded to its end where the gateway answers itself: %s', async (path, name, status) => {
    const url = await startShop();
    exporter.reset();
    const odd = status === 400 ? 'TRACE' : 'GET';
    const answer = await ask(url + path, odd);
    expect(answer).toBe(status);
    const span = (await finished()).find((each) => each.kind === SpanKind.SERVER);
    expect([span?.name, span?.attributes['http.response.status_code']]).toEqual([name, status]);
  });
});

/** The spans, once the server's own has ended. */
async function finished() {
  await eventually(() =>
    expect(exporter.getFinishedSpans().some(({ kind }) => kind === SpanKind.SERVER)).toBe(true),
  );
  return exporter.getFinishedSpans();
}

/** fetch does not send TRACE. */
function ask(url: string, method: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { method, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

describe('without an SDK', () => {
  it('requests carry their trace on, and nobody records anything', async () => {
    exporter.reset();
    const url = await startShop();
    const traceparent = `00-${TRACE}-${'b'.repeat(16)}-01`;
    await fetch(`${url}/api/orders`, { method: 'POST', headers: { traceparent } });
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  Param,
  Query,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { register, Counter } from 'prom-client';
import { EventHub } from '../../../lib/common/event-hub.js';
import { MeasurementSource } from '../../../lib/common/measurements.js';
import type { ProxiedRequest, RefusedRequest } from '../../../lib/gateway/gateway.events.js';
import { Metrics } from '../../../lib/telemetry/metrics/metrics.js';
import { TelemetryModule } from '../../../lib/telemetry/telemetry.module.js';
import type { TelemetryOptions } from '../../../lib/telemetry/telemetry.options.js';
import { eventually } from '../../support/eventually.js';

@Controller('orders')
class OrdersController {
  @Get(':id')
  find(@Param('id') id: string, @Query('fail') fail?: string): string {
    if (fail) throw new Error('no such order');
    return id;
  }
}

@Injectable()
class Broken extends MeasurementSource {
  override measure(): never {
    throw new Error('out of order');
  }
}

let app: INestApplication | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
  register.clear();
});

async function start(
  adapter: ExpressAdapter | FastifyAdapter,
  options: TelemetryOptions = {},
  providers: (typeof Broken)[] = [],
): Promise<string> {
  @Module({
    imports: [TelemetryModule.forRoot({ name: 'orders', logs: false, metrics: true, ...options })],
    controllers: [OrdersController],
    providers,
  })
  class AppModule {}
  app = await NestFactory.create(AppModule, adapter, { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

function lines(page: string, name: string): string[] {
  return page.split('\n').filter((line) => line.startsWith(`${name}{`));
}

function label(route: string, status: number): string {
  return `{http_request_method="GET",http_route="${route}",http_response_status_code="${status}",service="orders"}`;
}

async function page(url: string, accept = 'text/plain'): Promise<string> {
  return (await fetch(`${url}/metrics`, { headers: { accept } })).text();
}

const promtool = execFileSync('sh', ['scripts/ensure-deb.sh', 'prometheus', 'promtool'], {
  encoding: 'utf8',
}).trim();

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter() as never],
])('the metrics of a service on %s', (_, adapter) => {
  it('count requests by route template, method and status', async () => {
    const url = await start(adapter());
    await fetch(`${url}/orders/1`);
    await fetch(`${url}/orders/2`);
    await fetch(`${url}/orders/3?fail=yes`);
    await fetch(`${url}/nowhere`);
    await eventually(async () => {
      const counts = lines(await page(url), 'http_server_request_duration_seconds_count');
      expect(counts.map((line) => line.replace(/^[^{]*/, '')).toSorted()).toEqual([
        `${label('/orders/:id', 200)} 2`,
        `${label('/orders/:id', 500)} 1`,
        `${label('unmatched', 404)} 1`,
      ]);
    });
  });

  it('are pages that promtool finds no fault with', async () => {
    const url = await start(adapter());
    await fetch(`${url}/orders/1`);
    const text = await page(url);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toContain('nodejs_eventloop_utilization_ratio{service="orders"}');
    expect(text).toContain('nodejs_gc_duration_seconds');
    expect(text).toContain('nodejs_active_resources{type=');
    execFileSync(promtool, ['check', 'metrics'], { input: text });
  });

  it('make no series for paths and methods that a client invents', async () => {
    const url = await start(adapter());
    const metrics = app?.get(Metrics) as Metrics;
    await fetch(`${url}/orders/1`);
    await fetch(`${url}/first`);
    await eventually(async () => expect(await page(url)).toContain('http_route="unmatched"'));
    const before = metrics.size;
    for (let n = 0; n < 50; n++) await fetch(`${url}/path-${n}`);
    for (let n = 0; n < 50; n++) await fetch(`${url}/orders/${n}`);
    expect(metrics.size).toBe(before);
  });
});

describe('the metrics', () => {
  it('are hidden from whoever comes through a proxy', async () => {
    const url = await start(new ExpressAdapter());
    const answer = await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '1.2.3.4' } });
    expect(answer.status).toBe(404);
  });

  it('have the trace ids of single requests where the reader knows OpenMetrics', async () => {
    const url = await start(new ExpressAdapter());
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    await fetch(`${url}/orders/1`, { headers: { traceparent } });
    await eventually(async () => {
      const text = await page(url, 'application/openmetrics-text; version=1.0.0');
      expect(text).toMatch(
        new RegExp(`_bucket\\{.*\\} 1 # \\{trace_id="${traceId}"\\} 0\\.\\d+ \\d+`),
      );
      expect(text.endsWith('# EOF\n')).toBe(true);
    });
    expect(await page(url)).not.toContain(traceId);
  });

  it("show what the application keeps in prom-client's own registry, in both formats, again and again", async () => {
    new Counter({ name: 'shop_orders_total', help: 'Orders' }).inc(3);
    const url = await start(new ExpressAdapter());
    for (let round = 0; round < 2; round++) {
      expect(await page(url)).toContain('shop_orders_total{service="orders"} 3');
      const open = await page(url, 'application/openmetrics-text');
      expect(open).toContain('# TYPE shop_orders counter');
      expect(open).toContain('shop_orders_total{service="orders"} 3');
    }
  });

  it('survive a room that cannot measure', async () => {
    const url = await start(new ExpressAdapter(), {}, [Broken]);
    expect(await page(url)).toContain('rookery_service_info');
  });

  it('count what goes through the gateway once for each route, however many statuses there are', async () => {
    const url = await start(new ExpressAdapter(), { metrics: { maxSeries: 12 } });
    const events = app?.get(EventHub) as EventHub;
    const route = { id: 'a', path: '/api/orders/{id}' };
    for (let n = 0; n < 1_000; n++) {
      events.emit('request.proxied', {
        method: `M${n}`,
        status: 200 + (n % 100),
        route,
        upstream: 'orders',
        endpoint: undefined,
        attempts: 2,
        startedAt: 0,
        duration: 12,
        timeToFirstByte: 7,
        scope: { trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), flags: '00' } },
      } as ProxiedRequest);
    }
    const text = await page(url);
    const counts = lines(text, 'rookery_gateway_requests_total');
    expect(counts).toHaveLength(13);
    expect(counts.every((line) => /method="(?:_OTHER|_other)"/.test(line))).toBe(true);
    expect(counts.at(-1)).toBe(
      'rookery_gateway_requests_total{route="_other",callee="_other",method="_other",status="_other",service="orders"} 880',
    );
    expect(text).toContain(
      'rookery_gateway_attempts_total{route="/api/orders/{id}",callee="orders",service="orders"} 2000',
    );
    expect(text).toContain(
      'rookery_gateway_request_duration_seconds_bucket{route="/api/orders/{id}",callee="orders",le="0.01",service="orders"} 0',
    );
    expect(text).toContain(
      'rookery_gateway_first_byte_seconds_bucket{route="/api/orders/{id}",callee="orders",le="0.01",service="orders"} 1000',
    );
  });

  it('count what the gateway refused by route and status, whoever sent it and why', async () => {
    const url = await start(new ExpressAdapter());
    const events = app?.get(EventHub) as EventHub;
    for (let n = 0; n < 100; n++) {
      events.emit('request.refused', {
        route: { id: 'a', path: '/api/orders/{id}' },
        method: 'GET',
        status: n % 4 === 0 ? 429 : 401,
        reason: `sender ${n} is unknown`,
        clientAddress: `10.0.0.${n}`,
        scope: {},
      } as RefusedRequest);
    }
    expect(lines(await page(url), 'rookery_gateway_refused_total')).toEqual([
      'rookery_gateway_refused_total{route="/api/orders/{id}",status="429",service="orders"} 25',
      'rookery_gateway_refused_total{route="/api/orders/{id}",status="401",service="orders"} 75',
    ]);
  });
});

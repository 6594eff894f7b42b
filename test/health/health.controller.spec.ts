import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type INestApplication,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  VersioningType,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { HealthIndicatorService } from '@nestjs/terminus';
import { NestFactory } from '@nestjs/core';
import { Availability } from '../../lib/health/availability.js';
import { terminusIndicator } from '../../lib/health/contributors/terminus.contributor.js';
import { HealthAggregator } from '../../lib/health/health-aggregator.js';
import {
  HealthContributor,
  type HealthReport,
  type HealthStatus,
} from '../../lib/health/health-contributor.js';
import { HealthModule } from '../../lib/health/health.module.js';
import type { HealthOptions } from '../../lib/health/health.options.js';
import { ServiceHealth } from '../../lib/health/service-health.js';

const THREE_FIELDS = ['service', 'status', 'timestamp'];

@Injectable()
class Database extends HealthContributor {
  override readonly name = 'database';
  status: HealthStatus = 'up';
  override check(): HealthReport {
    return { status: this.status };
  }
}

@Injectable()
class Peers extends ServiceHealth {
  override of(service: string): HealthReport | undefined {
    if (service === 'payments') return { status: 'degraded', details: { instances: 2 } };
    return service === 'inventory' ? { status: 'down' } : undefined;
  }
}

let app: INestApplication | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

/** Lets the database be in a state for two rounds, so that it counts. */
async function refresh(status: HealthStatus): Promise<void> {
  const running = app as INestApplication;
  running.get(Database).status = status;
  await running.get(HealthAggregator).refresh();
  await running.get(HealthAggregator).refresh();
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('the health endpoints on %s', (_, adapter) => {
  async function start(
    options: HealthOptions & { readonly path?: string } = {},
    prepare: (app: INestApplication) => unknown = () => {},
    metadata: ModuleMetadata = {},
  ): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
    @Module({
      imports: [HealthModule.forRoot({ name: 'orders', ...options })],
      providers: [Database, Peers],
      ...metadata,
    })
    class AppModule {}
    app = await NestFactory.create(AppModule, adapter(), { logger: false, abortOnError: false });
    prepare(app);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    return (path, init) => fetch(url + path, init);
  }

  it('answer service, status and timestamp, and the checks to a caller on this machine', async () => {
    const get = await start({ version: '1.2.3' });
    const response = await get('/health');
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toEqual({
      service: 'orders',
      status: 'up',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      version: '1.2.3',
      checks: {
        'event-loop': expect.objectContaining({ status: 'up', critical: true }),
        database: { status: 'up', critical: true },
      },
    });
  });

  it.each(['/health', '/health/live', '/health/ready', '/health/orders', '/health/payments'])(
    'answer a stranger who asks %s three fields and no more',
    async (path) => {
      const get = await start();
      const response = await get(path, { headers: { 'x-forwarded-for': '203.0.113.7' } });
      expect(response.status).toBe(200);
      expect(Object.keys((await response.json()) as object).toSorted()).toEqual(THREE_FIELDS);
    },
  );

  it('answer HEAD without a body', async () => {
    const get = await start();
    await refresh('down');
    const ready = await get('/health/ready', { method: 'HEAD' });
    expect(ready.status).toBe(503);
    expect(await ready.text()).toBe('');
    expect((await get('/health/live', { method: 'HEAD' })).status).toBe(200);
  });

  it('answer 503 while a critical thing is down, but stay alive', async () => {
    const get = await start();
    await refresh('down');
    expect((await get('/health')).status).toBe(503);
    expect((await get('/health/ready')).status).toBe(503);
    expect((await get('/health/orders')).status).toBe(503);
    const live = await get('/health/live');
    expect(live.status).toBe(200);
    expect(await live.json()).toMatchObject({ status: 'up', checks: { 'event-loop': {} } });
    await refresh('degraded');
    const degraded = await get('/health/ready');
    expect(degraded.status).toBe(200);
    expect(await degraded.json()).toMatchObject({ status: 'degraded' });
  });

  it('answer readiness with 503 while draining, and liveness with 200', async () => {
    const get = await start();
    (app as INestApplication).get(Availability).become('draining');
    for (const path of ['/health', '/health/ready', '/health/orders']) {
      const response = await get(path);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ service: 'orders', status: 'draining' });
    }
    expect((await get('/health/live')).status).toBe(200);
  });

  it('answer for other services what some room knows of them', async () => {
    const get = await start();
    const payments = await get('/health/payments');
    expect(payments.status).toBe(200);
    expect(await payments.json()).toMatchObject({
      service: 'payments',
      status: 'degraded',
      details: { instances: 2 },
    });
    expect((await get('/health/inventory')).status).toBe(503);
  });

  it('answer 404 in the same shape for a service nobody knows', async () => {
    const get = await start();
    const unknown = await get('/health/nobody');
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toEqual({
      service: 'nobody',
      status: 'unknown',
      timestamp: expect.any(String),
    });
    const hostile = await get('/health/%3Cscript%3E');
    expect(hostile.status).toBe(404);
    expect(await hostile.json()).toMatchObject({ service: '', status: 'unknown' });
  });

  it('stand below a global prefix, at a path of their own, and in every version', async () => {
    const get = await start({ path: '/status' }, (created) =>
      created
        .setGlobalPrefix('api')
        .enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    );
    expect((await get('/api/status')).status).toBe(200);
    expect((await get('/api/status/ready')).status).toBe(200);
    expect((await get('/health')).status).toBe(404);
  });

  it('take indicators of Terminus from options, and from anyone who injects its services', async () => {
    @Injectable()
    class Cache extends HealthContributor {
      override readonly name = 'cache';
      constructor(
        @Inject(HealthIndicatorService) private readonly terminus: HealthIndicatorService,
      ) {
        super();
      }
      override check(): HealthReport {
        return { status: this.terminus.check('cache').up()['cache'].status };
      }
    }
    const disk = terminusIndicator('disk', () => ({ disk: { status: 'down', used: 0.99 } }), {
      critical: false,
    });
    const get = await start({ indicators: [disk], terminus: true }, undefined, {
      providers: [Database, Cache],
    });
    expect(await (await get('/health')).json()).toMatchObject({
      status: 'degraded',
      checks: {
        cache: { status: 'up' },
        disk: { status: 'down', critical: false, details: { used: 0.99 } },
      },
    });
  });

  it('keep their paths apart when two applications run in one process', async () => {
    const first = await start({ path: '/one' });
    const firstApp = app as INestApplication;
    const second = await start({ path: '/two', details: 'never' });
    expect((await first('/one')).status).toBe(200);
    expect((await first('/two')).status).toBe(404);
    expect((await second('/two')).status).toBe(200);
    await firstApp.close();
  });

  it('refuse a service whose name is an endpoint', async () => {
    await expect(start({ name: 'ready' })).rejects.toThrow(
      "A service cannot be called 'ready', because /health/ready is an endpoint of its own. Give it another name.",
    );
  });
});

describe('HealthModule', () => {
  it('can be given options by other providers, its path beside them', async () => {
    @Module({
      imports: [
        HealthModule.forRootAsync({
          path: '/up',
          terminus: true,
          inject: [HealthIndicatorService],
          useFactory: (terminus: HealthIndicatorService): HealthOptions => ({
            name: 'orders',
            indicators: [terminusIndicator('db', () => terminus.check('db').up())],
          }),
        }),
      ],
    })
    class AppModule {}
    app = await NestFactory.create(AppModule, { logger: false });
    await app.listen(0, '127.0.0.1');
    const response = await fetch(`${await app.getUrl()}/up`);
    expect(await response.json()).toMatchObject({
      service: 'orders',
      checks: { db: { status: 'up' } },
    });
  });

  it('does not start without a name', async () => {
    @Module({ imports: [HealthModule.forRoot()] })
    class AppModule {}
    const nameless = await NestFactory.create(AppModule, { logger: false });
    await expect(nameless.init()).rejects.toThrow(/This service has no name/);
    await nameless.close();
  });
});

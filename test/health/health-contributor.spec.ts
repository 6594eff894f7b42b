import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type INestApplication, Injectable, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Clock } from '../../lib/common/clock.js';
import { diskHealth } from '../../lib/health/contributors/disk.contributor.js';
import { httpHealth } from '../../lib/health/contributors/http.contributor.js';
import { memoryHealth } from '../../lib/health/contributors/memory.contributor.js';
import { pingHealth, transportHealth } from '../../lib/health/contributors/ping.contributor.js';
import { HealthAggregator } from '../../lib/health/health-aggregator.js';
import { HealthCheck } from '../../lib/health/health-check.js';
import { HealthContributor, type HealthReport } from '../../lib/health/health-contributor.js';
import { HealthModule } from '../../lib/health/health.module.js';
import type { HealthOptions } from '../../lib/health/health.options.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

@Injectable()
class Database {
  works = true;
  asked = 0;

  @HealthContributor('database', {
    scope: 'shared',
    cache: '10s',
    groups: ['readiness', 'startup'],
  })
  ping(): object {
    this.asked++;
    if (!this.works) throw new Error('connection refused');
    return { rows: [1] };
  }
}

@Injectable()
@HealthContributor('queue', { critical: false, timeout: '50ms' })
class Queue {
  check(): HealthReport {
    return { status: 'degraded', details: { waiting: 7 } };
  }
}

let app: INestApplication | undefined;
let server: Server | undefined;

afterEach(async () => {
  await app?.close();
  server?.close();
  app = undefined;
  server = undefined;
});

async function start(
  options: HealthOptions = {},
  providers: Provider[] = [Database, Queue],
): Promise<(path: string) => Promise<{ code: number; body: Record<string, unknown> }>> {
  @Module({ imports: [HealthModule.forRoot({ name: 'orders', ...options })], providers })
  class AppModule {}
  app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return async (path) => {
    const answer = await fetch(url + path);
    return { code: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
}

describe('a contributor', () => {
  it('is any class or method with @HealthContributor above it', async () => {
    const get = await start();
    expect((await get('/health')).body).toMatchObject({
      status: 'degraded',
      checks: {
        database: { status: 'up', critical: true },
        queue: { status: 'degraded', critical: false, details: { waiting: 7 } },
      },
    });
  });

  it('of something shared makes no instance down, and is asked no more often than its cache allows', async () => {
    const get = await start();
    const database = app?.get(Database) as Database;
    const aggregator = app?.get(HealthAggregator) as HealthAggregator;
    database.works = false;
    for (let round = 0; round < 5; round++) await aggregator.refresh();
    for (let probe = 0; probe < 50; probe++) await get('/health/ready');
    expect(database.asked).toBe(1);
    expect((await get('/health/ready')).code).toBe(200);
  });

  it('can belong to a group of the application, which has an endpoint', async () => {
    const get = await start({ groups: { checkout: ['queue'] } });
    const { code, body } = await get('/health/checkout');
    expect([code, body['status'], Object.keys(body['checks'] as object)]).toEqual([
      200,
      'degraded',
      ['queue'],
    ]);
  });

  it('that a group names and nobody is stops the start', async () => {
    await expect(start({ groups: { checkout: ['databse'] } })).rejects.toThrow(
      /health\.groups\.checkout names 'databse', but no health contributor is called that\. There are: .*database/,
    );
  });

  it('of the group startup holds the start back until it was well once, and never again', async () => {
    @Injectable()
    class Warming {
      warm = false;
      @HealthContributor('cache', { groups: ['startup'] })
      look(): void {
        if (!this.warm) throw new Error('still filling');
      }
    }
    const get = await start({}, [Warming]);
    const warming = app?.get(Warming) as Warming;
    const aggregator = app?.get(HealthAggregator) as HealthAggregator;
    expect((await get('/health/startup')).code).toBe(503);
    expect((await get('/health/startup')).body['status']).toBe('starting');
    warming.warm = true;
    await aggregator.refresh();
    expect((await get('/health/startup')).code).toBe(200);
    warming.warm = false;
    await aggregator.refresh();
    await aggregator.refresh();
    expect((await get('/health/startup')).code).toBe(200);
  });

  it('flips once down and once back when the thresholds say so, whatever comes between', async () => {
    const clock: Clock = new FakeClock();
    const { signal } = new AbortController();
    let works = true;
    const contributor = pingHealth(
      'db',
      () => {
        if (!works) throw new Error('away');
      },
      { scope: 'instance' },
    );
    const check = new HealthCheck(contributor, clock, { failures: 3, successes: 2 });
    const weights: string[] = [];
    for (const step of [1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0]) {
      works = step === 1;
      await check.run(100, signal);
      weights.push(check.weight);
    }
    expect(weights.join(' ')).toBe(
      'up degraded up degraded degraded up degraded degraded down down down down up degraded',
    );
  });
});

async function status(contributor: HealthContributor): Promise<string> {
  return (await contributor.check(new AbortController().signal)).status;
}

describe('the contributors at hand', () => {
  it('look at memory, disk, an address and a transport', async () => {
    server = createServer((request, response) => {
      response.statusCode = Number(request.url?.slice(1));
      response.end('x');
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await status(memoryHealth())).toBe('up');
    expect(await status(memoryHealth({ rss: 1 }))).toBe('down');
    expect(await status(diskHealth({ used: 1 }))).toBe('up');
    expect(await status(diskHealth({ used: 0 }))).toBe('down');
    expect(await status(httpHealth('up', `${url}/204`))).toBe('up');
    expect(await status(httpHealth('odd', `${url}/404`))).toBe('degraded');
    expect(await status(httpHealth('down', `${url}/503`))).toBe('down');
    expect(await status(transportHealth('queue', { connect: async () => {} }))).toBe('up');
    const away = { connect: () => Promise.reject(new Error('away')) };
    await expect(status(transportHealth('queue', away))).rejects.toThrow('away');
  });
});

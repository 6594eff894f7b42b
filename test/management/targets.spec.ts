import { afterEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { RookeryModule } from '../../lib/rookery.module.js';
import type { RookeryOptions } from '../../lib/rookery.options.js';
import { eventually } from '../support/eventually.js';

const apps: INestApplication[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(hub: MemoryHub, options: RookeryOptions): Promise<string> {
  @Module({
    imports: [
      RookeryModule.forRoot({
        config: false,
        ...options,
        discovery: { backend: memory(hub), host: '127.0.0.1' },
      }),
    ],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return app.getUrl();
}

describe('what Prometheus is told to scrape', () => {
  it('is every instance that has metrics, where it has them', async () => {
    const hub = new MemoryHub();
    const gateway = await start(hub, { name: 'gateway', metrics: true });
    const orders = await start(hub, {
      name: 'orders',
      version: '2.0.0',
      metrics: { path: '/figures' },
    });
    await start(hub, { name: 'silent' });
    await start(hub, { name: 'hidden', metrics: { path: false } });
    await eventually(async () => {
      const answer = await fetch(`${gateway}/management/targets`);
      expect(answer.headers.get('content-type')).toBe('application/json');
      const found = (await answer.json()) as { labels: Record<string, string> }[];
      const service = '__meta_rookery_service';
      expect(found.toSorted((a, b) => (a.labels[service]! < b.labels[service]! ? -1 : 1))).toEqual([
        {
          targets: [new URL(gateway).host],
          labels: {
            __scheme__: 'http',
            __metrics_path__: '/metrics',
            __meta_rookery_service: 'gateway',
            __meta_rookery_id: expect.any(String),
          },
        },
        {
          targets: [new URL(orders).host],
          labels: {
            __scheme__: 'http',
            __metrics_path__: '/figures',
            __meta_rookery_service: 'orders',
            __meta_rookery_id: expect.any(String),
            __meta_rookery_version: '2.0.0',
          },
        },
      ]);
    });
  });
});

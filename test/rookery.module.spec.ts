import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Injectable, Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import { BaseService } from '../lib/base-service.js';
import { ServiceClient } from '../lib/client/service-client.js';
import { ConfigValue } from '../lib/config-client/config-value.decorator.js';
import { memory, MemoryHub } from '../lib/discovery/backends/memory.backend.js';
import { GatewayRoute } from '../lib/discovery/manifest/gateway-route.decorator.js';
import { FastLane } from '../lib/gateway/lane/fast-lane.js';
import { RookeryModule } from '../lib/rookery.module.js';
import type { RookeryOptions } from '../lib/rookery.options.js';
import { eventually } from './support/eventually.js';

@Injectable()
class GreetingsService extends BaseService {}

@GatewayRoute('/api/greetings')
@Controller('greetings')
class GreetingsController {
  @ConfigValue('greeting', 'Hello')
  private readonly greeting!: string;

  constructor(private readonly config: ConfigService) {}

  @Get()
  greet() {
    return { greeting: this.greeting, same: this.config.get('greeting') };
  }
}

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
});

async function start(options: RookeryOptions, controllers = false): Promise<INestApplication> {
  @Module({
    imports: [RookeryModule.forRoot(options)],
    controllers: controllers ? [GreetingsController] : [],
    providers: [GreetingsService],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  return app;
}

const urlOf = (app: INestApplication) =>
  `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;

describe('RookeryModule', () => {
  it('measures under the name that it was given, without central configuration too', async () => {
    const backend = memory(new MemoryHub());
    const app = await start({
      name: 'shop',
      config: false,
      metrics: true,
      discovery: { backend },
      gateway: { routes: [{ path: '/api/{*rest}', to: 'items' }] },
    });
    const page = await fetch(`${urlOf(app)}/metrics`);
    expect(await page.text()).toContain('rookery_ready{service="shop"} 1');
  });

  it('leaves plain requests of a gateway to its fast lane, whatever else is on', async () => {
    const backend = memory(new MemoryHub());
    await start({ name: 'greetings', discovery: { backend } }, true);
    const all = { gateway: true, metrics: true, management: true } as const;
    const gateway = await start({ name: 'gateway', discovery: { backend }, ...all });
    await eventually(async () =>
      expect((await fetch(`${urlOf(gateway)}/api/greetings`)).status).toBe(200),
    );
    // A connection whose request went to Node is none of the lane's any more.
    const kept = Reflect.get(
      gateway.get(FastLane, { strict: false }),
      'connections',
    ) as Set<unknown>;
    expect(kept.size).toBeGreaterThan(0);
  });

  it('wires a service and a gateway with their defaults', async () => {
    const backend = memory(new MemoryHub());
    const config = { defaults: { greeting: 'Good day' } };
    await start({ name: 'greetings', discovery: { backend }, config }, true);
    const gateway = await start({ name: 'gateway', discovery: { backend }, gateway: true });
    const greeting = { greeting: 'Good day', same: 'Good day' };
    await eventually(async () => {
      const answer = await fetch(`${urlOf(gateway)}/api/greetings`);
      expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{32}$/);
      expect(await answer.json()).toEqual(greeting);
    });
    expect(await gateway.get(ServiceClient).get('greetings', '/greetings')).toEqual(greeting);
    const health = await fetch(`${urlOf(gateway)}/health/greetings`);
    expect(await health.json()).toMatchObject({ service: 'greetings', status: 'up' });
  });

  it('says how a service is through the classic template', async () => {
    const backend = memory(new MemoryHub());
    const app = await start({ name: 'greetings', version: '1.2.3', discovery: { backend } });
    const service = app.get(GreetingsService);
    expect(service.name).toBe('greetings');
    expect(service.healthUrl).toBe(`${urlOf(app)}/health`);
    await eventually(() => expect(service.registerService()).toMatchObject({ version: '1.2.3' }));
    expect(service.healthCheck()).toMatchObject({ service: 'greetings', status: 'up' });
    const answer = await fetch(service.healthUrl ?? '');
    expect(await answer.json()).toMatchObject({ service: 'greetings', version: '1.2.3' });
  });

  it.each<[unknown, string]>([
    [{ nmae: 'orders' }, 'rookery.nmae is not an option. Did you mean "name"?'],
    [{ name: 7 }, 'rookery.name is 7, not a text.'],
    [{ name: 'Orders' }, "rookery.name is 'Orders', which is no DNS label."],
    [{ name: '' }, "rookery.name is '', not a text."],
    [null, 'rookery is null, not an object.'],
    [7, 'rookery is 7, not an object.'],
    [{ discovery: 'consul' }, "rookery.discovery is 'consul'. It must be an object."],
    [{ discovery: false }, 'rookery.discovery is false. It must be an object.'],
    [{ discovery: null }, 'rookery.discovery is null. It must be an object.'],
    [{ gateway: null }, 'rookery.gateway is null. It must be an object, true or false.'],
    [{ config: true }, 'rookery.config is true. It must be an object or false.'],
  ])('refuses %j at the start, not while it is imported', async (options, sentence) => {
    await expect(start(options as RookeryOptions, true)).rejects.toThrow(sentence);
  });

  it.each<[RookeryOptions, string]>([
    [
      { name: 'orders', discovery: { heartbeat: { interval: '60s', ttl: '30s' } } },
      'discovery.heartbeat.interval is 60s, longer than the TTL of 30s. Make it 10s, or leave it out.',
    ],
    [{ name: 'orders', health: { timeout: '9s' } }, 'health.timeout is longer than the interval'],
    [
      { name: 'orders', gateway: { acessLog: true } as object },
      'gateway.acessLog is not an option',
    ],
  ])('stops the start at %j', async (options, sentence) => {
    await expect(start(options)).rejects.toThrow(sentence);
  });
});

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ConfigClient } from '../../../lib/config-client/config-client.js';
import { ConfigClientModule } from '../../../lib/config-client/config-client.module.js';
import { configServer } from '../../../lib/config-client/sources/config-server.factory.js';
import { MemorySource } from '../../../lib/config-client/sources/memory.source.js';
import { eventually } from '../../support/eventually.js';
import { answering, ScriptedServer } from '../scripted-server.js';

const apps: INestApplicationContext[] = [];
const servers: ScriptedServer[] = [];

async function start(
  ...sources: Parameters<typeof ConfigClientModule.forRoot>[0]['sources'] & object
) {
  const app = await Test.createTestingModule({
    imports: [
      ConfigClientModule.forRoot({
        name: 'orders',
        profiles: ['prod'],
        startTimeout: '200ms',
        sources,
        defaults: { d: 0, a: 0 },
      }),
    ],
  }).compile();
  apps.push(app);
  await app.init();
  return app.get(ConfigClient);
}

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const server of servers.splice(0)) await server.stop();
  jest.restoreAllMocks();
});

describe('several sources', () => {
  it('lie above each other in the order they are given, and each is live', async () => {
    const [upper, lower] = [
      new MemorySource({ a: 1 }),
      new MemorySource({ a: 2, b: 2, list: [1, 2, 3] }),
    ];
    const config = await start(upper, lower);
    expect(config.snapshot()).toEqual({ a: 1, b: 2, d: 0, list: [1, 2, 3] });
    lower.set({ a: 3, b: 3 });
    await eventually(() => expect(config.get('b')).toBe(3));
    upper.set({});
    await eventually(() => expect(config.get('a')).toBe(3));
    expect(config.explain('a').layers.map(({ name }) => name)).toEqual([
      'memory (2)',
      'local defaults',
    ]);
    expect(config.version).toBe('2+2');
  });

  it('start with those that answer while one is away, and are whole when it is back', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    const server = await new ScriptedServer(answering({ a: 9 })).start();
    servers.push(server);
    const { url } = server;
    await server.stop();
    const config = await start(configServer({ url }), new MemorySource({ a: 2, b: 2 }));
    expect(config.snapshot()).toEqual({ a: 2, b: 2, d: 0 });
    await server.start();
    await eventually(() => expect(config.get('a')).toBe(9), 2_000);
    expect(config.get('b')).toBe(2);
  });

  it('say what is missing', async () => {
    await expect(start(configServer())).rejects.toThrow(
      'configServer has no address. Set CONFIG_URL',
    );
  });
});

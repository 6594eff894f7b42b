import { type INestApplication, Logger, Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import { MemoryRepository } from '../../lib/config-server/repositories/memory.repository.js';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { RookeryModule } from '../../lib/rookery.module.js';
import { startApp } from '../config-server/config-apps.js';
import { eventually } from '../support/eventually.js';

const apps: INestApplication[] = [];
const holding = (max: number) => ({ orders: [{ name: 'orders', source: { max } }] });

async function startServer(hub: MemoryHub, max: number) {
  const repository = new MemoryRepository(holding(max));
  @Module({
    imports: [
      RookeryModule.forRoot({
        name: 'config-server',
        discovery: { backend: memory(hub) },
        config: false,
      }),
      ConfigServerModule.forRoot({ repository }),
    ],
  })
  class ServerModule {}
  const { app } = await startApp({ imports: [ServerModule] });
  apps.push(app);
  return { app, repository };
}

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation(() => undefined);
  }
});
afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
  jest.restoreAllMocks();
});

describe('a config server in the registry', () => {
  it('needs somebody who finds services', async () => {
    const module = ConfigClientModule.forRoot({ name: 'orders', discovery: true });
    await expect(startApp({ imports: [module] })).rejects.toThrow(
      'config.discovery is on, but nobody finds services here. Import DiscoveredConfigServerModule',
    );
  });

  it('that is not there is told by its name', async () => {
    const config = { discovery: 'settings', failFast: true, startTimeout: '4s' } as const;
    const module = RookeryModule.forRoot({
      name: 'orders',
      discovery: { backend: memory(new MemoryHub()) },
      config,
    });
    await expect(startApp({ imports: [module] })).rejects.toThrow(
      /No configuration of "orders" from the service "settings": No instance of "settings" is registered\. Start the config server, or set CONFIG_URL/,
    );
  }, 10_000);

  it('is found without an address, followed, and found again when another one takes its place', async () => {
    const hub = new MemoryHub();
    const first = await startServer(hub, 1);
    const module = RookeryModule.forRoot({
      name: 'orders',
      discovery: { backend: memory(hub) },
      config: { discovery: true },
    });
    const { app } = await startApp({ imports: [module] });
    apps.push(app);
    const config = app.get(ConfigClient);
    await eventually(() => expect(config.get('max')).toBe(1));
    first.repository.set(holding(2));
    await eventually(() => expect(config.get('max')).toBe(2));
    await startServer(hub, 3);
    await apps.splice(apps.indexOf(first.app), 1)[0]?.close();
    await eventually(() => expect(config.get('max')).toBe(3));
  }, 20_000);
});

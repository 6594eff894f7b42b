import { type INestApplication, Injectable, Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigContributor } from '../../lib/config-client/config-client.contributor.js';
import type { ConfigChange } from '../../lib/config-client/config-client.events.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import { ConfigValue, OnConfigChange } from '../../lib/config-client/config-value.decorator.js';
import { EventHub } from '../../lib/common/event-hub.js';
import {
  ConfigFolder,
  type Platform,
  startApp,
  startConfigServer,
} from '../config-server/config-apps.js';
import { eventually } from '../support/eventually.js';

@Injectable()
class Checkout {
  @ConfigValue('checkout.discount', 0) readonly discount!: number;
  readonly heard: ConfigChange[] = [];
  readonly seenInConstructor: unknown;

  constructor(readonly config: ConfigService) {
    this.seenInConstructor = config.get('checkout.discount');
  }

  @OnConfigChange('checkout.*')
  changed(change: ConfigChange): void {
    this.heard.push(change);
  }
}

const open: INestApplication[] = [];
const folders: ConfigFolder[] = [];

function folderOf(files: Record<string, string>): ConfigFolder {
  const folder = new ConfigFolder(files);
  folders.push(folder);
  return folder;
}

async function startServer(
  folder: ConfigFolder,
  where: { platform?: Platform; port?: number } = {},
) {
  const started = await startConfigServer(folder, where);
  open.push(started.app);
  return started;
}

async function startClient(options: ConfigClientOptions, platform: Platform = 'express') {
  @Module({
    imports: [ConfigClientModule.forRoot({ name: 'orders', profiles: ['prod'], ...options })],
    providers: [Checkout],
  })
  class OrdersApp {}
  const started = await startApp({ imports: [OrdersApp] }, { platform });
  open.push(started.app);
  const { app } = started;
  return { app, config: app.get(ConfigClient), checkout: app.get(Checkout) };
}

afterEach(async () => {
  for (const app of open.splice(0).toReversed()) await app.close();
  for (const folder of folders.splice(0)) folder.remove();
});

describe.each<Platform>(['express', 'fastify'])(
  'a client and a config server on %s',
  (platform) => {
    it('bring a changed file to injected values in under two seconds, and process.env stays as it was', async () => {
      const before = JSON.stringify(process.env);
      const folder = folderOf({
        'application.yml': 'checkout:\n  discount: 1\n  currency: EUR\n',
        'orders-prod.yml': 'checkout.discount: 5\n',
      });
      const { url } = await startServer(folder, { platform });
      const { config, checkout, app } = await startClient({ url }, platform);
      expect(checkout.discount).toBe(5);
      expect(checkout.seenInConstructor).toBe(5);
      expect(config.get('checkout')).toEqual({ discount: 5, currency: 'EUR' });
      const first = config.version;

      folder.write('orders-prod.yml', 'checkout.discount: 7\ncheckout.gift: true\n');
      await eventually(() => expect(checkout.discount).toBe(7), 2_000);
      expect(app.get(ConfigService).get('checkout.discount')).toBe(7);
      expect(checkout.heard).toEqual([
        { keys: ['checkout.discount', 'checkout.gift'], version: config.version },
      ]);
      expect(config.version).not.toBe(first);

      folder.write('orders-prod.yml', '# nothing any more\n');
      await eventually(() => expect(checkout.discount).toBe(1), 2_000);
      expect(config.has('checkout.gift')).toBe(false);
      expect(app.get(ConfigService).get('checkout.gift')).toBeUndefined();
      expect(JSON.stringify(process.env)).toBe(before);
    });
  },
);

describe('a client whose config server goes away', () => {
  it('keeps its values, is degraded and says why, and is live again when the server is back', async () => {
    const folder = folderOf({ 'orders.yml': 'checkout.discount: 5\n' });
    const server = await startServer(folder);
    const { app, checkout } = await startClient({ url: server.url });
    const told: string[] = [];
    app.get(EventHub).on('config.unreachable', ({ source }) => told.push(`lost ${source}`));
    app.get(EventHub).on('config.reachable', ({ source }) => told.push(`found ${source}`));
    const health = app.get(ConfigContributor);
    expect(health.check().status).toBe('up');

    await open.splice(open.indexOf(server.app), 1)[0]?.close();
    await eventually(() => expect(health.check().status).toBe('degraded'));
    expect(checkout.discount).toBe(5);
    expect(health.check().details).toMatchObject({ using: 'remote', source: server.url });

    folder.write('orders.yml', 'checkout.discount: 6\n');
    await startServer(folder, { port: server.port });
    await eventually(() => expect(checkout.discount).toBe(6), 2_000);
    expect(health.check().status).toBe('up');
    expect(told).toEqual([`lost ${server.url}`, `found ${server.url}`]);
  });
});

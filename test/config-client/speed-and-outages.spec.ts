import { type INestApplication, Injectable, Logger, Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigContributor } from '../../lib/config-client/config-client.contributor.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import { ConfigValue } from '../../lib/config-client/config-value.decorator.js';
import { MemoryRepository } from '../../lib/config-server/repositories/memory.repository.js';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import { startApp } from '../config-server/config-apps.js';
import { eventually } from '../support/eventually.js';
import { answering, type Script, ScriptedServer } from './scripted-server.js';

@Injectable()
class Checkout {
  @ConfigValue('max', 0) readonly max!: number;
}

const apps: INestApplication[] = [];
const servers: ScriptedServer[] = [];

async function start(options: ConfigClientOptions) {
  @Module({
    imports: [ConfigClientModule.forRoot({ name: 'orders', profiles: ['prod'], ...options })],
    providers: [Checkout],
  })
  class OrdersModule {}
  const { app } = await startApp({ imports: [OrdersModule] });
  apps.push(app);
  const report = () => app.get(ConfigContributor).check();
  return { checkout: app.get(Checkout), config: app.get(ConfigClient), report };
}

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation(() => undefined);
  }
});
afterEach(async () => {
  for (const app of apps.splice(0).toReversed()) await app.close();
  for (const server of servers.splice(0)) await server.stop();
  jest.restoreAllMocks();
});

const holding = (max: number) => ({ orders: [{ name: 'orders', source: { max } }] });

describe('a change', () => {
  it('is in an injected value by push long before the interval ends, and by poll', async () => {
    const repository = new MemoryRepository(holding(0));
    const { app, url } = await startApp({ imports: [ConfigServerModule.forRoot({ repository })] });
    apps.push(app);
    const pushed = await start({ url, refresh: { interval: '1h' } });
    const polled = await start({ url, refresh: { push: false, interval: '1s' } });
    // An hour's interval: only a push can bring them. How fast is measured by `npm run bench:config`.
    for (let at = 1; at <= 5; at++) {
      repository.set(holding(at));
      await eventually(() => expect(pushed.checkout.max).toBe(at));
    }
    await eventually(() => expect(polled.checkout.max).toBe(5));
  }, 20_000);
});

const good = (max: number): Script => answering({ max }, { version: String(max) });

describe('a server that fails while it is used', () => {
  it.each<[string, Script | undefined]>([
    ['is dead', undefined],
    ['answers garbage', (_request, response) => response.end('<html>')],
    ['hangs', () => undefined],
    [
      'answers half',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '500' });
        response.write('{"prop');
        setImmediate(() => response.destroy());
      },
    ],
    [
      'answers half and hangs',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '500' });
        response.write('{"prop');
      },
    ],
  ])(
    'because it %s leaves the old value live, is seen, and the new value is there in under two seconds',
    async (_name, script) => {
      const server = await new ScriptedServer(good(1)).start();
      servers.push(server);
      const { checkout, report } = await start({ url: server.url, refresh: { interval: '1s' } });
      expect(checkout.max).toBe(1);
      if (script) server.script = script;
      else await server.stop();
      await eventually(() => expect(report()).toMatchObject({ status: 'degraded' }), 9_000);
      expect(checkout.max).toBe(1);
      const began = performance.now();
      if (script) server.script = good(2);
      else {
        server.script = good(2);
        await server.start();
      }
      await eventually(() => expect(checkout.max).toBe(2), 2_000);
      expect(performance.now() - began).toBeLessThan(2_000);
      expect(report().status).toBe('up');
    },
    20_000,
  );

  it('is passed over for the next address, also when it hangs', async () => {
    const [hanging, well] = [
      await new ScriptedServer(() => undefined).start(),
      await new ScriptedServer(good(7)).start(),
    ];
    servers.push(hanging, well);
    const { checkout } = await start({ url: `${hanging.url},${well.url}` });
    expect(checkout.max).toBe(7);
  });
});

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
const folders: string[] = [];

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
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  jest.restoreAllMocks();
});

const kept = (max: unknown) => ({ orders: [{ name: 'orders', source: { max: max as number } }] });

describe('a change', () => {
  it('is in an injected value by push long before the interval ends, and by poll', async () => {
    const repository = new MemoryRepository(kept(0));
    const { app, url } = await startApp({ imports: [ConfigServerModule.forRoot({ repository })] });
    apps.push(app);
    const pushed = await start({ url, refresh: { interval: '1h' } });
    const polled = await start({ url, refresh: { push: false, interval: '1s' } });
    // An hour's interval: only a push can bring them. How fast is measured by `npm run bench:config`.
    for (let at = 1; at <= 5; at++) {
      repository.set(kept(at));
      await eventually(() => expect(pushed.checkout.max).toBe(at));
    }
    await eventually(() => expect(polled.checkout.max).toBe(5));
  }, 20_000);
});

/** Answers at once, as Spring's server does: it is asked at intervals. */
const asked = (max: number): Script => answering({ max }, { version: String(max) });

/** Holds the question of a client that has the newest, as ours does. */
const holding = (max: number): Script => {
  const headers = { etag: `"${max}"`, 'x-config-wait': '60s' };
  const answer = answering({ max }, { version: String(max), headers });
  return (request, response) => {
    if (request.headers['if-none-match'] !== headers.etag) return answer(request, response);
    const wait = /wait=(\d+)s/.exec(request.url ?? '')?.[1];
    const timer = setTimeout(() => response.writeHead(304).end(), Number(wait) * 1_000);
    response.once('close', () => clearTimeout(timer));
  };
};

const garbage: Script = (_request, response) => response.end('<html>');
const nothing: Script = () => undefined;
const half: Script = (_request, response) => {
  response.writeHead(200, { 'content-length': '500' });
  response.write('{"prop');
};
const halfAndEnd: Script = (request, response) => {
  half(request, response);
  setImmediate(() => response.destroy());
};

/** A new value is live, and all is well, so long after the server can be asked again. */
const SOON = 2_000;

describe('a server that fails while it is used', () => {
  it.each<[string, (max: number) => Script, Script | undefined]>([
    ['is dead', holding, undefined],
    ['answers garbage', holding, garbage],
    ['hangs', holding, nothing],
    ['answers half', holding, halfAndEnd],
    ['answers half and hangs', holding, half],
    ['is dead, being asked at intervals,', asked, undefined],
    ['hangs, being asked at intervals,', asked, nothing],
  ])(
    'because it %s leaves the old value live, is seen, and the new value is there in under two seconds',
    async (_name, good, script) => {
      const server = await new ScriptedServer(good(1)).start();
      servers.push(server);
      const { checkout, report } = await start({ url: server.url, refresh: { interval: '1s' } });
      expect(checkout.max).toBe(1);
      if (script) server.script = script;
      else await server.stop();
      await eventually(() => expect(report()).toMatchObject({ status: 'degraded' }), 9_000);
      expect(report().details).toMatchObject({ away: expect.stringContaining(server.url) });
      expect(checkout.max).toBe(1);
      server.script = good(2);
      if (!script) await server.start();
      const began = performance.now();
      await eventually(() => expect([checkout.max, report().status]).toEqual([2, 'up']), SOON);
      expect(performance.now() - began).toBeLessThan(SOON);
    },
    20_000,
  );

  it('at the start leaves the last good values of the file live, and the new value is there in under two seconds', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rookery-outage-'));
    folders.push(folder);
    const snapshot = { path: join(folder, 'config.snapshot'), key: 'the key of a test' };
    const server = await new ScriptedServer(holding(1)).start();
    servers.push(server);
    await start({ url: server.url, snapshot });
    await eventually(() => stat(snapshot.path));
    await apps.pop()?.close();
    for (const script of [undefined, garbage, nothing, half]) {
      server.script = script ?? nothing;
      if (!script) await server.stop();
      const began = { url: server.url, snapshot, startTimeout: '200ms' } as const;
      const { checkout, report } = await start(began);
      expect(checkout.max).toBe(1);
      expect(report()).toMatchObject({ status: 'degraded', details: { using: 'snapshot' } });
      server.script = holding(1);
      if (!script) await server.start();
      await eventually(() => expect(report()).toMatchObject({ status: 'up' }), SOON);
      await apps.pop()?.close();
    }
  }, 20_000);

  it('is passed over for the next address, also when it hangs', async () => {
    const [hanging, well] = [
      await new ScriptedServer(nothing).start(),
      await new ScriptedServer(asked(7)).start(),
    ];
    servers.push(hanging, well);
    const { checkout } = await start({ url: `${hanging.url},${well.url}` });
    expect(checkout.max).toBe(7);
  });
});

const validate = ({ max }: Record<string, unknown>) => {
  if (typeof max !== 'number') throw new Error('max must be a number');
};

describe('a bad value that is pushed', () => {
  it('is refused by everyone, and the good one that follows is there in under two seconds', async () => {
    const repository = new MemoryRepository(kept(1));
    const { app, url } = await startApp({ imports: [ConfigServerModule.forRoot({ repository })] });
    apps.push(app);
    const clients = await Promise.all([1, 2, 3].map(() => start({ url, validate })));
    const values = () => clients.map(({ checkout, report }) => [checkout.max, report().status]);
    repository.set(kept('many'));
    await eventually(() => expect(values()).toEqual(clients.map(() => [1, 'degraded'])));
    const [{ report }] = clients as [(typeof clients)[0]];
    expect(report()).toMatchObject({ details: { rejected: ['max must be a number'] } });
    repository.set(kept(2));
    const began = performance.now();
    await eventually(() => expect(values()).toEqual(clients.map(() => [2, 'up'])), SOON);
    expect(performance.now() - began).toBeLessThan(SOON);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigContributor } from '../../lib/config-client/config-client.contributor.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { eventually } from '../support/eventually.js';
import { answering, ScriptedServer } from './scripted-server.js';

const apps: INestApplicationContext[] = [];
const servers: ScriptedServer[] = [];
const warnings: string[] = [];
let folder = '';

async function start(options: ConfigClientOptions) {
  const app = await Test.createTestingModule({
    imports: [ConfigClientModule.forRoot({ name: 'orders', profiles: ['prod'], ...options })],
  }).compile();
  apps.push(app);
  await app.init();
  const report = () => app.get(ConfigContributor).check();
  return { app, config: app.get(ConfigClient), report, events: app.get(EventHub) };
}

async function serve(script: ScriptedServer['script']): Promise<ScriptedServer> {
  const server = await new ScriptedServer(script).start();
  servers.push(server);
  return server;
}

async function stoppedServer(script: ScriptedServer['script']): Promise<ScriptedServer> {
  const server = await serve(script);
  await server.stop();
  return server;
}

const check = (tree: Record<string, unknown>) => {
  if (typeof tree['max'] !== 'number') throw new Error('max must be a number');
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rookery-snapshot-'));
  jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  for (const level of ['warn', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((message) => {
      warnings.push(String(message));
    });
  }
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const server of servers.splice(0)) await server.stop();
  await rm(folder, { recursive: true, force: true });
  warnings.length = 0;
  jest.restoreAllMocks();
});

describe('the start of a client', () => {
  it('without a config server lives from variables and defaults, and is silent about it', async () => {
    const { config, report } = await start({ defaults: { db: { max: 3 } } });
    expect(config.get('db.max')).toBe(3);
    expect(config.version).toBeUndefined();
    expect(report()).toEqual({ status: 'up', details: { using: 'local' } });
    expect(warnings).toEqual([]);
  });

  it('while the server is away goes on with local values, says so once, and heals in under two seconds', async () => {
    const server = await stoppedServer(answering({ max: 9 }));
    const { config, report, events } = await start({
      url: server.url.replace('//', '//me:hunter22@'),
      startTimeout: '250ms',
      defaults: { max: 1 },
    });
    const changes: unknown[] = [];
    events.on('config.changed', (change) => changes.push(change));
    expect(config.get('max')).toBe(1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      /^No configuration from http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*\. "orders" starts with local values and goes on trying\.$/,
    );
    expect(warnings[0]).not.toContain('hunter22');
    expect(report()).toMatchObject({
      status: 'degraded',
      details: { using: 'local', away: expect.stringContaining('ECONNREFUSED') },
    });
    expect(JSON.stringify(report())).not.toContain('hunter22');

    await server.start();
    await eventually(() => expect(config.get('max')).toBe(9), 2_000);
    expect(report().status).toBe('up');
    expect(changes).toEqual([{ keys: ['max'], version: '1' }]);
    expect(warnings).toHaveLength(1);
  });

  it('waits for a server that is only a little late', async () => {
    const server = await stoppedServer(answering({ max: 9 }));
    const starting = start({ url: server.url });
    await eventually(() => server.start());
    expect((await starting).config.get('max')).toBe(9);
    expect(warnings).toEqual([]);
  });

  it('fails fast if it shall, naming the server and the remedy', async () => {
    const server = await stoppedServer(answering({}));
    await expect(start({ url: server.url, failFast: true, startTimeout: '100ms' })).rejects.toThrow(
      /^No configuration of "orders" from http:\/\/127\.0\.0\.1:\d+: .*\. Start the config server, or leave failFast out/,
    );
  });

  it('refuses to fail fast when there is nowhere to read from', async () => {
    await expect(start({ failFast: true })).rejects.toThrow(
      'config.failFast is on, but there is nowhere to read from. Set CONFIG_URL or config.url, or leave failFast out.',
    );
  });

  it('says that a server hangs', async () => {
    const server = await serve(() => undefined);
    await expect(start({ url: server.url, failFast: true, startTimeout: '100ms' })).rejects.toThrow(
      'no answer within 100ms',
    );
  });

  it('stops on values that are not valid, remote or local', async () => {
    const server = await serve(answering({ max: 'many' }));
    await expect(start({ url: server.url, validate: check })).rejects.toThrow(
      `The configuration from ${server.url} is not valid: max must be a number.`,
    );
    await expect(start({ validate: check })).rejects.toThrow('max must be a number');
    const away = await stoppedServer(answering({}));
    await expect(start({ url: away.url, validate: check, startTimeout: '100ms' })).rejects.toThrow(
      /local values alone \(http.* is away: .*\) is not valid: max must be a number/,
    );
  });

  it('needs a name only when it asks somebody', async () => {
    const options = { name: 'Orders!' };
    await expect(start(options)).rejects.toThrow(
      "config.name is 'Orders!', which is no DNS label.",
    );
  });
});

describe('a bad change', () => {
  it('is refused and told, the last good values stay, and a good one is taken again', async () => {
    const source = new MemorySource({ max: 1, other: 'a' });
    const { config, report, events } = await start({ source, validate: check });
    const rejected: unknown[] = [];
    events.on('config.rejected', (event) => rejected.push(event));
    source.set({ max: 'many', other: 'b' });
    await eventually(() => expect(rejected).toHaveLength(1));
    expect(rejected).toEqual([{ version: '2', issues: ['max must be a number'] }]);
    expect(config.snapshot()).toEqual({ max: 1, other: 'a' });
    expect(config.version).toBe('1');
    expect(report()).toMatchObject({
      status: 'degraded',
      details: { rejected: ['max must be a number'] },
    });
    expect(warnings).toEqual([
      'A new configuration from memory is not valid and was refused: max must be a number. The last good one stays in use.',
    ]);
    source.set({ max: 2, other: 'b' });
    await eventually(() => expect(config.get('max')).toBe(2));
    expect(report().status).toBe('up');
  });

  it('of a server that answers garbage keeps the values; the next good answer counts in under two seconds', async () => {
    const server = await serve(
      answering({ max: 1 }, { headers: { etag: '"1"', 'x-config-wait': '1s' } }),
    );
    const { config, report } = await start({ url: server.url });
    server.script = (_request, response) => response.end('<html>');
    await eventually(() => expect(report().status).toBe('degraded'), 4_000);
    expect(config.get('max')).toBe(1);
    await eventually(() => expect(warnings).toHaveLength(1), 4_000);
    expect(warnings[0]).toMatch(/cannot be read: .*[^.]\. The last good values stay in use/);
    server.script = answering({ max: 2 }, { version: '2' });
    await eventually(() => expect(config.get('max')).toBe(2), 2_000);
    expect(report().status).toBe('up');
  });
});

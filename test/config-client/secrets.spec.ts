import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigService } from '@nestjs/config';
import { z } from 'zod';
import { ConfigCipher } from '../../lib/common/cipher/config-cipher.js';
import { readCipherOptions } from '../../lib/common/cipher/cipher-options.js';
import { EventHub } from '../../lib/common/event-hub.js';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigContributor } from '../../lib/config-client/config-client.contributor.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import { MemorySource } from '../../lib/config-client/sources/memory.source.js';
import { eventually } from '../support/eventually.js';
import { answering, ScriptedServer } from './scripted-server.js';

const SECRETS = [
  'hunter22-db',
  'hunter22-url',
  'hunter22-token',
  'hunter22-snapshot-key',
  'hunter22-cipher-key',
];
const [DB, URL_PASSWORD, TOKEN, SNAPSHOT_KEY, CIPHER_KEY] = SECRETS as [
  string,
  string,
  string,
  string,
  string,
];
const cipher = new ConfigCipher(readCipherOptions({ key: CIPHER_KEY }, 'test'));
const apps: INestApplicationContext[] = [];
const servers: ScriptedServer[] = [];
/** All that anybody could read: logs, events, health, errors. */
const seen: string[] = [];
let folder = '';

async function start(options: ConfigClientOptions) {
  try {
    const app = await Test.createTestingModule({
      imports: [ConfigClientModule.forRoot({ name: 'orders', startTimeout: '200ms', ...options })],
    }).compile();
    apps.push(app);
    await app.init();
    const look = () => seen.push(JSON.stringify(app.get(ConfigContributor).check()));
    app.get(EventHub).onAny((name, event) => {
      seen.push(`${name} ${JSON.stringify(event)}`);
      look();
    });
    look();
    return { app, config: app.get(ConfigClient), look };
  } catch (error) {
    seen.push(String(error), (error as Error).stack ?? '', JSON.stringify(error));
    throw error;
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rookery-secrets-'));
  for (const level of ['log', 'warn', 'error', 'debug', 'verbose', 'fatal'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((...said: unknown[]) => {
      seen.push(said.map(String).join(' '));
    });
  }
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const server of servers.splice(0)) await server.stop();
  rmSync(folder, { recursive: true, force: true });
  seen.length = 0;
  jest.restoreAllMocks();
});

describe('secrets', () => {
  it('are in no log, event, health answer, error or snapshot in clear, whatever goes wrong', async () => {
    const good = {
      db: { password: `{cipher}${cipher.encrypt(DB)}`, max: 1 },
      api: { token: TOKEN },
    };
    const flat = { 'db.password': good.db.password, 'db.max': 1, 'api.token': TOKEN };
    const server = await new ScriptedServer(answering(flat)).start();
    servers.push(server);
    const url = server.url.replace('//', `//client:${URL_PASSWORD}@`);
    const path = join(folder, 'snapshot');
    const options = {
      url,
      headers: { 'x-config-token': TOKEN },
      decrypt: { key: CIPHER_KEY },
      snapshot: { path, key: SNAPSHOT_KEY },
      retry: { most: '50ms' },
      refresh: { interval: '1s' },
      validate: z.object({
        db: z.object({ max: z.number(), password: z.string() }),
        api: z.object({
          token: z
            .string()
            .refine((token) => token === TOKEN, { error: ({ input }) => `is ${String(input)}` }),
        }),
      }),
    } satisfies ConfigClientOptions;
    const { config, look } = await start(options);
    expect(config.get('db.password')).toBe(DB);
    expect([
      config.isSecret('db.password'),
      config.isSecret('api.token'),
      config.isSecret('db.max'),
    ]).toEqual([true, true, false]);
    seen.push(JSON.stringify(config.masked()));
    expect(config.masked()).toEqual({
      db: { password: '******', max: 1 },
      api: { token: '******' },
    });

    // What a schema says of a value, values that nobody can decrypt, garbage, and a server that is gone.
    const wrong = `hunter22-db hunter22-token`;
    server.script = answering({ ...flat, 'api.token': wrong }, { version: '2' });
    await eventually(() => expect(seen.join('\n')).toContain('api.token: is ******'));
    const foreign = new ConfigCipher(readCipherOptions({ key: 'another' }, 'test'));
    server.script = answering(
      { ...flat, 'db.password': `{cipher}${foreign.encrypt(DB)}` },
      { version: '3' },
    );
    await eventually(() =>
      expect(seen.join('\n')).toContain(
        'db.password: cannot be decrypted with the keys of config.decrypt (file:orders.yml)',
      ),
    );
    server.script = (_request, response) => response.end(`{"propertySources":"${DB}`);
    await eventually(() => expect(seen.join('\n')).toContain('characters that are not JSON'));
    await server.stop();
    await eventually(() => expect(seen.join('\n')).toContain('ECONNREFUSED'));
    look();
    await expect(start({ ...options, failFast: true })).rejects.toThrow(
      'No configuration of "orders"',
    );
    await expect(
      start({
        ...options,
        snapshot: { path, key: 'another key of sixteen' },
        validate: () => Promise.reject(new Error('there is no password')),
      }),
    ).rejects.toThrow('does not open with this key');
    await start(options);

    const everything = seen.join('\n');
    expect(everything.length).toBeGreaterThan(1_000);
    for (const secret of SECRETS) expect(everything).not.toContain(secret);
    const bytes = readFileSync(path).toString('latin1');
    for (const secret of [...SECRETS, '{cipher}', 'password']) expect(bytes).not.toContain(secret);
  }, 20_000);

  it('that nobody can open are told by their keys', async () => {
    const { config } = await start({
      source: new MemorySource({ db: { password: `{cipher}${cipher.encrypt(DB)}` } }),
    });
    expect(String(config.get('db.password'))).toContain('{cipher}');
    expect(seen.join('\n')).toContain(
      'Encrypted values came that nobody opened: db.password. Give the server their key, or set config.decrypt.',
    );
  });
});

describe('process.env', () => {
  it('is byte for byte the same before and after a thousand refreshes, and Nest agrees with each', async () => {
    const before = JSON.stringify(process.env);
    const source = new MemorySource({ db: { pool: { max: 0 } }, list: [0] });
    const { app, config } = await start({ source });
    const nest = app.get(ConfigService);
    let changes = 0;
    config.changes$.subscribe(() => {
      changes++;
      expect(nest.get('db.pool.max')).toBe(config.get('db.pool.max'));
    });
    for (let at = 1; at <= 1_000; at++) {
      source.set({ db: { pool: { max: at } }, list: [at], [`key${at}`]: at });
      await eventually(() => expect(config.get('db.pool.max')).toBe(at));
    }
    expect(changes).toBe(1_000);
    expect(nest.get('list')).toEqual([1_000]);
    expect(nest.get('key999')).toBeUndefined();
    expect(JSON.stringify(process.env)).toBe(before);
  }, 30_000);
});

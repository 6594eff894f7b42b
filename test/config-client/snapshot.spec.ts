import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplicationContext, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigClient } from '../../lib/config-client/config-client.js';
import { ConfigContributor } from '../../lib/config-client/config-client.contributor.js';
import { ConfigClientModule } from '../../lib/config-client/config-client.module.js';
import type { ConfigClientOptions } from '../../lib/config-client/config-client.options.js';
import { SnapshotFile } from '../../lib/config-client/snapshot.js';
import { eventually } from '../support/eventually.js';
import { answering, ScriptedServer } from './scripted-server.js';

const KEY = 'the key of the snapshot of a test';
const REQUEST = { name: 'orders', profiles: ['prod'] };
const apps: INestApplicationContext[] = [];
const servers: ScriptedServer[] = [];
const warnings: string[] = [];
let folder = '';

const fileOf = () => join(folder, 'deep', 'config.snapshot');
const snapshotOf = (max: unknown) => ({ sources: [{ name: 'x', source: { max: max as number } }] });

async function start(options: ConfigClientOptions) {
  const app = await Test.createTestingModule({
    imports: [
      ConfigClientModule.forRoot({
        name: 'orders',
        profiles: ['prod'],
        startTimeout: '150ms',
        snapshot: { path: fileOf(), key: KEY },
        ...options,
      }),
    ],
  }).compile();
  apps.push(app);
  await app.init();
  return { config: app.get(ConfigClient), report: () => app.get(ConfigContributor).check() };
}

async function serve(source: Record<string, unknown>): Promise<ScriptedServer> {
  const server = await new ScriptedServer(answering(source)).start();
  servers.push(server);
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

describe('the file of the last good configuration', () => {
  it('starts a service whose server is away, and is readable by its owner alone', async () => {
    const server = await serve({ max: 7 });
    await start({ url: server.url });
    await eventually(async () => expect((await stat(fileOf())).mode & 0o777).toBe(0o600));
    await apps.pop()?.close();
    await server.stop();

    const { config, report } = await start({ url: server.url });
    expect(config.get('max')).toBe(7);
    expect(config.version).toBe('1');
    expect(warnings[0]).toContain(
      '"orders" starts with the last good values from its file and goes on trying.',
    );
    expect(report()).toMatchObject({ status: 'degraded', details: { using: 'snapshot' } });
    const before = await readFile(fileOf());
    server.script = answering({ max: 8 }, { version: '2' });
    await server.start();
    await eventually(() => expect(config.get('max')).toBe(8), 2_000);
    await eventually(async () => expect(await readFile(fileOf())).not.toEqual(before));
    const saved = await new SnapshotFile({ path: fileOf(), key: KEY }, REQUEST).read();
    expect(saved?.sources[0]?.source).toEqual({ max: 8 });
    expect(await readdir(join(folder, 'deep'))).toEqual(['config.snapshot']);
  });

  it('holds nothing in clear', async () => {
    const file = new SnapshotFile({ path: fileOf(), key: KEY }, REQUEST);
    await file.write({
      sources: [{ name: 'file:orders.yml', source: { 'db.password': 'hunter22' } }],
    });
    const bytes = (await readFile(fileOf())).toString('latin1');
    for (const text of ['hunter22', 'password', 'orders', KEY]) expect(bytes).not.toContain(text);
    expect((await file.read())?.sources[0]?.source).toEqual({ 'db.password': 'hunter22' });
  });

  it('keeps where values stand, so that they can be explained after a restart as well', async () => {
    const file = new SnapshotFile({ path: fileOf(), key: KEY }, REQUEST);
    const source = { name: 'x', source: { a: 1, b: 2 }, origins: { a: 'file:x.yml:3:1' } };
    await file.write({ sources: [source] });
    expect((await file.read())?.sources).toEqual([source]);
  });

  it('keeps the newest of many writes, and a reader never sees a half one', async () => {
    const file = new SnapshotFile({ path: fileOf(), key: KEY }, REQUEST);
    await file.write(snapshotOf(0));
    const writes = Array.from({ length: 40 }, (_, at) => file.write(snapshotOf(at + 1)));
    for (let read = 0; read < 5; read++) expect(await file.read()).toBeDefined();
    await Promise.all(writes);
    expect((await file.read())?.sources[0]?.source).toEqual({ max: 40 });
  });

  it('starts a service while a bad configuration is published', async () => {
    const server = await serve({ max: 7 });
    await start({ url: server.url, validate: check });
    await eventually(() => stat(fileOf()));
    server.script = answering({ max: 'many' });
    const { config, report } = await start({ url: server.url, validate: check });
    expect(config.get('max')).toBe(7);
    expect(report()).toMatchObject({
      status: 'degraded',
      details: { using: 'snapshot', rejected: ['max must be a number'] },
    });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'is in clear text',
      () => writeFile(fileOf(), '{"name":"orders","profiles":["prod"]'.repeat(3)),
      'is no encrypted snapshot. Remove it',
    ],
    ['is cut off', () => writeFile(fileOf(), 'ROOKERY1'), 'is no encrypted snapshot'],
    [
      'was written with another key',
      () =>
        new SnapshotFile({ path: fileOf(), key: 'another key than before' }, REQUEST).write(
          snapshotOf(5),
        ),
      'does not open with this key, or is damaged. Give config.snapshot.key (or CONFIG_SNAPSHOT_KEY) the key it was written with',
    ],
    [
      'was tampered with',
      async () => {
        await new SnapshotFile({ path: fileOf(), key: KEY }, REQUEST).write(snapshotOf(5));
        const bytes = await readFile(fileOf());
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
        await writeFile(fileOf(), bytes);
      },
      'does not open with this key, or is damaged',
    ],
    [
      'is of another application',
      () =>
        new SnapshotFile({ path: fileOf(), key: KEY }, { ...REQUEST, name: 'payments' }).write(
          snapshotOf(5),
        ),
      'belongs to another application, profile or label',
    ],
    [
      'is of other profiles',
      () =>
        new SnapshotFile({ path: fileOf(), key: KEY }, { ...REQUEST, profiles: ['dev'] }).write(
          snapshotOf(5),
        ),
      'belongs to another application, profile or label',
    ],
  ])('counts for nothing, and says why, when it %s', async (_name, write, sentence) => {
    const server = await serve({});
    await server.stop();
    await new SnapshotFile({ path: fileOf(), key: KEY }, REQUEST).write(snapshotOf(1));
    await write();
    const { config, report } = await start({ url: server.url });
    expect(config.has('max')).toBe(false);
    expect(report()).toMatchObject({ details: { using: 'local' } });
    expect(warnings.join('\n')).toContain(sentence);
    await expect(
      start({ url: server.url, validate: () => Promise.reject(new Error('no max')) }),
    ).rejects.toThrow(sentence);
  });
});

import { createHmac } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type INestApplication, Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import type { ConfigServerOptions } from '../../lib/config-server/config-server.options.js';
import { gitRepository } from '../../lib/config-server/repositories/git.repository.js';
import { MemoryRepository } from '../../lib/config-server/repositories/memory.repository.js';
import { eventually } from '../support/eventually.js';
import { AES, RSA_KEY, RSA_SECRET } from '../common/cipher/vectors.js';
import { ConfigFolder, startApp, startConfigServer } from './config-apps.js';
import { GitOrigin } from './repositories/support/git-origin.js';

const apps: INestApplication[] = [];
const removals: (() => void)[] = [];

async function start(files: Record<string, string>, options: Partial<ConfigServerOptions> = {}) {
  const folder = new ConfigFolder();
  removals.push(() => folder.remove());
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder.path, name, '..'), { recursive: true });
    folder.write(name, text);
  }
  const started = await startConfigServer(folder, options);
  apps.push(started.app);
  return { ...started, folder };
}

async function startWith(options: ConfigServerOptions) {
  const started = await startApp({ imports: [ConfigServerModule.forRoot(options)] });
  apps.push(started.app);
  return started;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const post = (body: string, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'text/plain', ...headers },
});

/** The HTTP status, and that which the body names. */
async function statusOf(url: string, path: string, init?: RequestInit) {
  const response = await fetch(`${url}${path}`, init);
  return [response.status, ((await response.json()) as { status: unknown }).status];
}

beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  for (const remove of removals.splice(0)) remove();
  jest.restoreAllMocks();
});

describe('an application without a configuration', () => {
  it('is answered 404 where acceptEmpty is false, on every path', async () => {
    const overrides = { a: 1 };
    const { url } = await start({ 'orders.yml': 'a: 1' }, { acceptEmpty: false, overrides });
    for (const path of ['/nobody/prod', '/nobody-prod.yml', '/nobody/prod/$explain?key=a']) {
      expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 404]);
    }
    expect((await fetch(`${url}/orders/prod`)).status).toBe(200);
  });
});

describe('files', () => {
  const files = {
    'orders.yml': 'host: h1\nurl: http://${host}/',
    'nginx.conf': 'server ${url} \\${kept} ${unknown:def} ${none};',
    'nginx-prod.conf': 'prod ${host}',
    'main/nginx.conf': 'labelled ${host}',
    'sub/deep/file.txt': 'x',
  };

  it('come as text with their placeholders filled, for the profile and the label first', async () => {
    const { url } = await start(files);
    const text = async (path: string) => (await fetch(`${url}${path}`)).text();
    expect(await text('/orders/default/x/nginx.conf')).toBe(
      'server http://h1/ ${kept} def ${none};',
    );
    expect(await text('/orders/eu,prod/x/nginx.conf')).toBe('prod h1');
    expect(await text('/orders/default/main/nginx.conf')).toBe('labelled h1');
    expect(await text('/orders/default/x/sub/deep/file.txt')).toBe('x');
    expect(await text('/orders/default/nginx.conf?useDefaultLabel')).toContain('server http://h1/');
    expect(await text('/orders/prod/x/nginx.conf?resolvePlaceholders=false')).toBe('prod ${host}');
    expect((await fetch(`${url}/orders/default/x/gone.txt`)).status).toBe(404);
  });

  it('come as bytes where they are asked for so, and not again when they have not changed', async () => {
    const { url, folder } = await start(files);
    const bytes = Buffer.from([0, 255, 36, 123, 125, 10]);
    folder.write('logo.bin', bytes);
    const headers = { accept: 'application/octet-stream' };
    const response = await fetch(`${url}/orders/default/x/logo.bin`, { headers });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const since = response.headers.get('last-modified') ?? '';
    const again = { ...headers, 'if-modified-since': since };
    expect((await fetch(`${url}/orders/default/x/logo.bin`, { headers: again })).status).toBe(304);
    folder.write('latin.txt', Buffer.from([0xe9]));
    const latin = { 'accept-charset': 'iso-8859-1' };
    const text = await fetch(`${url}/orders/default/x/latin.txt`, { headers: latin });
    expect(await text.text()).toBe('é');
  });
});

describe('the paths of the cipher', () => {
  it('encrypt and decrypt as Spring’s do, also what curl calls a form', async () => {
    const { url } = await start({}, { encrypt: { key: AES.key } });
    const text = async (path: string, init?: RequestInit) =>
      (await fetch(`${url}${path}`, init)).text();
    expect(await text('/encrypt/status')).toBe('{"status":"OK"}');
    expect(await text('/decrypt', post(AES.secret))).toBe(AES.text);
    const secret = await text('/encrypt', post('foo bar'));
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(await text('/decrypt/orders/prod', post(`{cipher}${secret}`))).toBe('foo bar');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await text('/decrypt', post(`${secret}=`, form))).toBe('foo bar');
    const formed = await text('/encrypt', post('foo+bar%26=', form));
    expect(await text('/decrypt', post(formed))).toBe('foo bar&');
  });

  it('work with RSA, give out its public key, and tell keys by alias', async () => {
    const keys = { mytestkey: RSA_KEY, word: 'a password' };
    const { url } = await start({}, { encrypt: { defaultKey: 'mytestkey', keys } });
    const text = async (path: string, init?: RequestInit) =>
      (await fetch(`${url}${path}`, init)).text();
    expect(await text('/decrypt', post(RSA_SECRET))).toBe('foo');
    expect(await text('/key')).toMatch(/^ssh-rsa AAAA/);
    expect(await text('/key/orders/prod')).toBe(await text('/key'));
    expect(await text('/key?key=word')).toContain('No public key available');
    const secret = await text('/encrypt', post('x'));
    expect(secret).toMatch(/^\{key:mytestkey\}/);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await text('/decrypt', post(`${encodeURIComponent(secret)}=`, form))).toBe('x');
    expect(await text('/encrypt', post('{key:word}x'))).toMatch(/^\{key:word\}[0-9a-f]+$/);
  });

  it('refuse with the statuses that Spring has', async () => {
    const without = await start({});
    expect(await statusOf(without.url, '/encrypt', post('x'))).toEqual([404, 'NO_KEY']);
    expect(await statusOf(without.url, '/key')).toEqual([404, 'NO_KEY']);
    const { url } = await start({}, { encrypt: { key: AES.key } });
    expect(await statusOf(url, '/decrypt', post('00'))).toEqual([400, 'INVALID']);
    expect(await statusOf(url, '/decrypt', post('{key:none}00'))).toEqual([400, 'INVALID']);
    expect(await statusOf(url, '/key')).toEqual([404, 'NOT_FOUND']);
    expect(await statusOf(url, '/encrypt/..%2f/prod', post('x'))).toEqual([400, 400]);
    expect(await statusOf(url, '/encrypt', post('x'.repeat(70_000)))).toEqual([413, 413]);
  });

  it('leave values to the client where it decrypts', async () => {
    const options = { encrypt: { key: AES.key }, decryption: 'client' } as const;
    const secret = `{cipher}${AES.secret}`;
    const { url } = await start({ 'orders.yml': `a: '${secret}'` }, options);
    expect(await (await fetch(`${url}/orders/prod`)).json()).toMatchObject({
      propertySources: [{ source: { a: secret } }],
    });
    const plain = await start(
      { 'orders.yml': `a: '{cipher}00'` },
      { encrypt: { key: 'x' }, prefixInvalid: false },
    );
    expect(await (await fetch(`${plain.url}/orders/prod`)).json()).toMatchObject({
      propertySources: [{ source: { a: '{cipher}00' } }],
    });
  });
});

describe('tokens', () => {
  const files = {
    'application.yml': 'shared: 1',
    'orders.yml': 'mine: 1',
    'stock.yml': 'secret: hunter22',
    'orders-admin.yml': 'secret: hunter22',
    'ledger.yml': 'secret: hunter22',
    'stock/keys.txt': 'hunter22',
    'nginx.conf': 'plain',
  };
  const options = {
    token: 'the-server-token',
    tokens: {
      orders: ['orders-token', 'orders-token-2'],
      stock: 'stock-token',
      'orders-admin': 'admin-token',
    },
    encrypt: { key: 'x' },
  };

  it('read their own application and nothing else', async () => {
    const { url } = await start(files, options);
    const get = (token: string, path: string) => fetch(`${url}${path}`, { headers: bearer(token) });
    for (const path of [
      '/orders/prod',
      '/orders-prod.yml',
      '/application/prod',
      '/orders/prod/$explain?key=mine',
      '/orders/prod/x/nginx.conf',
      '/orders/prod/x/orders.yml',
      '/application,orders/prod',
    ]) {
      for (const token of ['orders-token', 'orders-token-2', 'the-server-token']) {
        expect([path, token, (await get(token, path)).status]).toEqual([path, token, 200]);
      }
    }
    for (const path of [
      '/stock/prod',
      '/stock-prod.yml',
      '/main/stock-prod.json',
      '/orders,stock/prod',
      '/stock/prod/$watch',
      '/stock/prod/$explain?key=secret',
      '/orders/admin',
      '/orders/prod,admin',
      '/orders-admin.yml',
      '/orders/admin/main',
      '/orders/prod/x/stock.yml',
      '/orders/prod/x/ledger.yml',
      '/orders/prod/x/stock/keys.txt',
      '/orders/prod/x/orders-admin.yml',
      '/orders/prod/stock.yml?useDefaultLabel',
      '/key',
      '/encrypt/status',
      '/ledger/prod',
    ]) {
      const response = await get('orders-token', path);
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).not.toContain('hunter22');
      expect((await fetch(`${url}${path}`)).status).toBe(401);
    }
    expect((await fetch(`${url}/decrypt`, post('00', bearer('orders-token')))).status).toBe(403);
    expect((await fetch(`${url}/monitor`, post('{}', bearer('orders-token')))).status).toBe(403);
    expect((await fetch(`${url}/config/preview`, post('{}', bearer('orders-token')))).status).toBe(
      403,
    );
    expect(await (await get('admin-token', '/orders-admin/prod')).text()).toContain('hunter22');
  });

  it.each<[object, string]>([
    [{ tokens: { 'a/b': 'long-enough' } }, "configServer.tokens has 'a/b'."],
    [{ tokens: { orders: 'short' } }, 'configServer.tokens.orders[0] cannot be used.'],
    [{ webhookSecret: 'short' }, 'configServer.webhookSecret cannot be used.'],
    [{ overrides: 1 }, 'configServer.overrides is 1.'],
    [{ encrypt: {} }, 'configServer.encrypt has no key.'],
    [{ decryption: 'x' }, "configServer.decryption is 'x'. Make it 'server' or 'client'."],
  ])('and other options refuse %j', async (wrong, sentence) => {
    const repository = new MemoryRepository();
    await expect(startWith({ repository, ...wrong })).rejects.toThrow(sentence);
  });
});

describe('the webhook', () => {
  const secret = 'a-webhook-secret';
  const sign = (body: string) => createHmac('sha256', secret).update(body).digest('hex');
  const push = { commits: [{ added: ['orders-eu.yml'], removed: [], modified: ['x/stock.yml'] }] };
  const broadcast = { push: { changes: [] }, changes: [] };

  it.each<[string, object, (body: string) => Record<string, string>, string[]]>([
    [
      'GitHub',
      push,
      (body) => ({
        'x-github-event': 'push',
        'x-hub-signature': 'sha1=00',
        'x-hub-signature-256': `sha256=${sign(body)}`,
      }),
      ['orders-eu', 'orders', 'stock'],
    ],
    [
      'GitLab',
      push,
      () => ({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': secret }),
      ['orders-eu', 'orders', 'stock'],
    ],
    [
      'Gitea',
      push,
      (body) => ({
        'x-gitea-event': 'push',
        'x-gogs-event': 'push',
        'x-github-event': 'push',
        'x-gitea-signature': sign(body),
        'x-hub-signature-256': `sha256=${sign(body)}`,
      }),
      ['*'],
    ],
    [
      'Bitbucket',
      broadcast,
      (body) => ({
        'x-event-key': 'repo:push',
        'x-hook-uuid': 'u',
        'x-hub-signature': `sha256=${sign(body)}`,
      }),
      ['*'],
    ],
    [
      'Bitbucket Server',
      broadcast,
      (body) => ({ 'x-event-key': 'repo:refs_changed', 'x-hub-signature': `sha256=${sign(body)}` }),
      ['*'],
    ],
    [
      'a plain sender',
      { path: ['orders.yml', 'application-eu.yml'] },
      (body) => ({ 'x-hub-signature-256': `sha256=${sign(body)}` }),
      ['orders', 'application-eu', '*'],
    ],
    [
      'a ping of GitHub',
      push,
      (body) => ({ 'x-github-event': 'ping', 'x-hub-signature-256': `sha256=${sign(body)}` }),
      [],
    ],
  ])('understands %s', async (_name, payload, headers, names) => {
    const refreshed = jest.fn(async () => undefined);
    const repository = new MemoryRepository();
    repository.refresh = refreshed;
    const { url } = await startWith({ repository, webhookSecret: secret });
    const body = JSON.stringify(payload);
    const send = (more: Record<string, string>, text = body) =>
      fetch(`${url}/monitor`, post(text, { 'content-type': 'application/json', ...more }));
    const response = await send(headers(body));
    expect([response.status, await response.json()]).toEqual([200, names]);
    expect(refreshed).toHaveBeenCalledTimes(names.length > 0 ? 1 : 0);
    for (const [name, value] of Object.entries(headers(body))) {
      if (!/signature|token/.test(name) || value.startsWith('sha1=')) continue;
      const wrong = {
        ...headers(body),
        [name]: value.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      };
      expect((await send(wrong)).status).toBe(401);
    }
    expect((await send({})).status).toBe(401);
    expect(refreshed).toHaveBeenCalledTimes(names.length > 0 ? 1 : 0);
  });

  it('takes a form, and needs the token where there is no secret', async () => {
    const { url } = await startWith({
      repository: new MemoryRepository(),
      token: 'the-server-token',
    });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await fetch(`${url}/monitor`, post('path=orders.yml', form))).status).toBe(401);
    const allowed = { ...form, ...bearer('the-server-token') };
    const response = await fetch(`${url}/monitor`, post('path=orders-prod.yml&path=x', allowed));
    expect(await response.json()).toEqual(['orders-prod', 'orders', 'x']);
    expect((await fetch(`${url}/monitor`, post('[', bearer('the-server-token')))).status).toBe(400);
  });

  it('brings a push of git to those who wait, and says when the remote is away', async () => {
    const origin = new GitOrigin({ 'orders.yml': 'a: 1' });
    removals.push(() => origin.remove());
    const repository = gitRepository({ url: origin.path, refresh: '1h' });
    const { url } = await startWith({ repository });
    const first = await fetch(`${url}/orders/prod`);
    const etag = first.headers.get('etag') ?? '';
    const waiting = fetch(`${url}/orders/prod?wait=30s`, { headers: { 'if-none-match': etag } });
    const commit = origin.commit({ 'orders.yml': 'a: 2' });
    const hook = () =>
      fetch(
        `${url}/monitor`,
        post('{"path":["orders.yml"]}', { 'content-type': 'application/json' }),
      );
    await hook();
    expect(await (await waiting).json()).toMatchObject({ label: 'main', version: commit });
    // A commit that does not concern the application is no news for those who wait, and yet its newest version.
    const next = (await fetch(`${url}/orders/prod`)).headers.get('etag') ?? '';
    const other = origin.commit({ 'stock.yml': 'b: 1' });
    await hook();
    await eventually(async () => {
      const response = await fetch(`${url}/orders/prod`);
      expect(await response.json()).toMatchObject({ version: other });
      expect(response.headers.get('etag')).toBe(next);
    });
    origin.hide();
    await hook();
    await eventually(async () => {
      const { status, headers } = await fetch(`${url}/orders/prod`);
      expect([status, headers.get('x-config-stale')]).toEqual([
        200,
        expect.stringMatching(/^\d{4}-/),
      ]);
    });
    expect((await fetch(`${url}/orders/prod/nobranch`)).status).toBe(404);
  });
});

describe('the watch', () => {
  it('tells of every change as a server-sent event, from the one that is known', async () => {
    const repository = new MemoryRepository({ orders: [{ name: 'm', source: { a: 1 } }] });
    const { url } = await startWith({ repository });
    const stop = new AbortController();
    const response = await fetch(`${url}/orders/prod/$watch`, { signal: stop.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    let text = '';
    const read = (async () => {
      for await (const chunk of response.body ?? [])
        text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    await eventually(() =>
      expect(text).toMatch(/^event: change\nid: [0-9a-f]{32}\ndata: \{.*\}\n\n$/),
    );
    const [, id = ''] = /id: (\w+)/.exec(text) ?? [];
    repository.set({ orders: [{ name: 'm', source: { a: 2 } }] });
    await eventually(() => expect(text.match(/event: change/g)).toHaveLength(2));
    stop.abort();
    await read;
    const again = await fetch(`${url}/orders/prod/$watch`, { headers: { 'last-event-id': id } });
    const reader = again.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value as Uint8Array).toString()).toContain(
      'event: change',
    );
    await reader?.cancel();
  });
});

describe('explain', () => {
  it('names every layer, its origin, the winner and the version, and hides secrets', async () => {
    const { url } = await start(
      {
        'application.yml': 'db:\n  pool: {max: 10}\n  hosts: [a, b]\n',
        'orders-prod.yml': `db:\n  pool:\n    max: 50\n  password: '{cipher}${AES.secret}'\n  url: pg://u:\${db.password}@h\n`,
        'orders.properties': 'db.hosts[0]=c\n',
      },
      { encrypt: { key: AES.key } },
    );
    const explain = async (key: string) =>
      (await fetch(`${url}/orders/prod/main/$explain?key=${key}`)).json();
    expect(await explain('db.pool.max')).toEqual({
      application: 'orders',
      profiles: ['prod'],
      label: 'main',
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      key: 'db.pool.max',
      value: 50,
      winner: 'file:orders-prod.yml',
      origin: 'file:orders-prod.yml:3:10',
      layers: [
        { name: 'file:orders-prod.yml', value: 50, origin: 'file:orders-prod.yml:3:10' },
        { name: 'file:application.yml', value: 10, origin: 'file:application.yml:2:15' },
      ],
    });
    expect(await explain('db.hosts')).toMatchObject({
      value: ['c'],
      winner: 'file:orders.properties',
      layers: [{}, { value: ['a', 'b'] }],
    });
    expect(await explain('db.password')).toMatchObject({
      value: '******',
      layers: [{ value: '******' }],
    });
    expect(await explain('db.url')).toMatchObject({ value: 'pg://u:******@h' });
    expect(await explain('nothing')).toMatchObject({ key: 'nothing', layers: [] });
    expect((await fetch(`${url}/orders/prod/$explain`)).status).toBe(400);
  });
});

describe('the preview of a change', () => {
  it('names the running instances, keys and schemas that it would touch', async () => {
    const { url } = await start({ 'orders.yml': 'db: {pool: {max: 1}}', 'stock.yml': 'a: 1' });
    const put = (usage: object) =>
      fetch(`${url}/config/usage`, { method: 'PUT', body: JSON.stringify(usage) });
    const usage = {
      application: 'orders',
      instance: 'orders-1',
      profiles: ['prod'],
      keys: ['db.pool', 'banner'],
      schema: 'sha256:ab',
    };
    const answer = await put(usage);
    expect([answer.status, await answer.json()]).toEqual([200, { expiresIn: '300s' }]);
    await put({ ...usage, instance: 'orders-2', profiles: ['eu'], keys: ['*'] });
    await put({ ...usage, application: 'stock', instance: 'stock-1', keys: ['a'] });
    const preview = async (change: object) =>
      (await fetch(`${url}/config/preview`, post(JSON.stringify(change)))).json();
    expect(await preview({ application: 'orders', keys: ['db.pool.max', 'unread'] })).toEqual({
      asked: 2,
      services: [
        {
          application: 'orders',
          instance: 'orders-1',
          profiles: ['prod'],
          schema: 'sha256:ab',
          keys: [
            {
              key: 'db.pool.max',
              value: 1,
              winner: 'file:orders.yml',
              origin: 'file:orders.yml:1:18',
            },
          ],
        },
        {
          application: 'orders',
          instance: 'orders-2',
          profiles: ['eu'],
          schema: 'sha256:ab',
          keys: [
            {
              key: 'db.pool.max',
              value: 1,
              winner: 'file:orders.yml',
              origin: 'file:orders.yml:1:18',
            },
            { key: 'unread', value: null, winner: null, origin: null },
          ],
        },
      ],
      unread: [],
    });
    expect(await preview({ application: 'orders', profile: 'prod', keys: ['x'] })).toEqual({
      asked: 1,
      services: [],
      unread: ['x'],
    });
    expect(await preview({ application: 'application', keys: ['a'] })).toMatchObject({
      asked: 3,
      services: [{ instance: 'orders-2' }, { instance: 'stock-1' }],
    });
    for (const wrong of [
      {},
      { ...usage, instance: '<b>' },
      { ...usage, application: '../x' },
      { ...usage, profiles: 'prod' },
      { ...usage, profiles: ['a/b'] },
      { ...usage, keys: [1] },
      { ...usage, keys: ['k'.repeat(300)] },
      { ...usage, keys: Array.from({ length: 2_001 }, (_, at) => `k${at}`) },
      { ...usage, schema: 'a b' },
      { ...usage, label: '../x' },
    ]) {
      const response = await put(wrong);
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([
        400,
        'ERR_CONFIG_BODY',
      ]);
    }
  });
});

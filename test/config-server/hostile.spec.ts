import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type INestApplication, Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import { fileRepository } from '../../lib/config-server/repositories/file.repository.js';
import { gitRepository } from '../../lib/config-server/repositories/git.repository.js';
import { ConfigFolder, type Platform, startApp } from './config-apps.js';
import { GitOrigin } from './repositories/support/git-origin.js';

/** What nobody may ever be told. */
const SECRET = 'hunter22';

/** Ways to write "the directory above", and to lead elsewhere; each goes into every place of a path. */
const UPWARDS = [
  '..',
  '../stolen',
  '..%2fstolen',
  '..%2Fstolen',
  '%2e%2e',
  '%2e%2e%2fstolen',
  '%252e%252e%252fstolen',
  '%25252e%25252e',
  '..%5cstolen',
  '..\\stolen',
  '..;/stolen',
  '..;x=1',
  '.%2e',
  '%c0%ae%c0%ae%c0%afstolen',
  '%u002e%u002e',
  '..%00',
  'x%00.yml',
  'x%0d%0aset-cookie:a=1',
  '(_)etc',
  '(_)..(_)stolen',
  '..(_)stolen',
  'x(_)..(_)..(_)stolen',
  '%28_%29etc',
  'file:%2f%2f%2fetc%2fpasswd',
  '%2fetc%2fpasswd',
  '%2Fetc%2Fpasswd%23x',
  '.git',
  '.env',
  '~root',
  '%24%7bjava.lang.Runtime%7d',
  '${env}',
  '{application}',
  '*',
  '%ff',
  '%',
  'linked',
  '--upload-pack=x',
  'a'.repeat(300),
];

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Sends bytes as they are and gives what comes; a fetch would tidy a path up. */
function raw(port: number, text: string): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk) => (answer += String(chunk)));
    // A server may also just hang up.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ status: Number(answer.split(' ')[1] ?? 0), text: answer }));
    socket.write(text, 'latin1');
  });
}

const request = (method: string, target: string, headers = '', body = '') =>
  `${method} ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${headers}${
    body === '' ? '' : `content-length: ${Buffer.byteLength(body, 'latin1')}\r\n`
  }\r\n${body}`;

const basic = (text: string) => `authorization: Basic ${Buffer.from(text).toString('base64')}\r\n`;

const TOKEN = 'the-server-token';
const admin = `authorization: Bearer ${TOKEN}\r\n`;
const ofOrders = 'authorization: Bearer orders-token\r\n';

const files = {
  'application.yml': 'shared: 1',
  'orders.yml': 'own: 1',
  'stock.yml': `password: ${SECRET}`,
  'notes.txt': 'plain',
};

describe.each<[Platform, 'file' | 'git']>([
  ['express', 'file'],
  ['fastify', 'git'],
])('a config server on %s over %s', (platform, kind) => {
  const outside = new ConfigFolder({ 'stolen.yml': SECRET, passwd: SECRET });
  const inside = new ConfigFolder(files);
  const origin = new GitOrigin(files);
  let app: INestApplication;
  let port = 0;
  const sent: string[] = [];

  beforeAll(async () => {
    for (const name of ['warn', 'error'] as const) {
      jest.spyOn(Logger.prototype, name).mockImplementation(() => undefined);
    }
    mkdirSync(join(inside.path, 'main'));
    for (const path of [inside.path, origin.path]) {
      mkdirSync(join(path, 'stock'));
      writeFileSync(join(path, 'stock', 'application.yml'), `password: ${SECRET}`);
      symlinkSync(join(outside.path, 'stolen.yml'), join(path, 'linked.yml'));
      symlinkSync(outside.path, join(path, 'linked'));
      symlinkSync(join(outside.path, 'passwd'), join(path, 'linked.txt'));
    }
    origin.commit({});
    const repository =
      kind === 'git' ? gitRepository({ url: origin.path }) : fileRepository({ path: inside.path });
    const options = {
      repository,
      token: TOKEN,
      tokens: { orders: 'orders-token', stock: 'stock-token' },
      encrypt: { key: 'a key' },
      webhookSecret: 'a-webhook-secret',
    };
    const started = await startApp(
      { imports: [ConfigServerModule.forRoot(options)] },
      { platform },
    );
    app = started.app;
    port = started.port;
  });

  afterAll(async () => {
    await app.close();
    outside.remove();
    inside.remove();
    origin.remove();
    jest.restoreAllMocks();
  });

  /** Expects a refusal that tells nothing. */
  async function refused(text: string, statuses: readonly number[]): Promise<void> {
    sent.push(text);
    const answer = await raw(port, text);
    const line = text.slice(0, text.indexOf('\r\n'));
    expect([line, statuses.includes(answer.status), answer.status]).toEqual([
      line,
      true,
      answer.status,
    ]);
    expect([line, answer.text.includes(SECRET)]).toEqual([line, false]);
    expect([line, /set-cookie|root:x|propertySources|at .+\.ts:\d/i.test(answer.text)]).toEqual([
      line,
      false,
    ]);
    // No place of this machine is named either.
    expect([line, answer.text.includes(inside.path) || answer.text.includes(outside.path)]).toEqual(
      [line, false],
    );
  }

  it('finds nothing elsewhere, wherever and however it is written', async () => {
    const places: readonly ((bad: string) => string)[] = [
      (bad) => `/orders/prod/${bad}`,
      (bad) => `/orders/${bad}/main`,
      (bad) => `/${bad}/prod/main`,
      (bad) => `/orders/prod/main/${bad}`,
      (bad) => `/orders/prod/main/sub/${bad}/x.txt`,
      (bad) => `/orders/prod/${bad}?useDefaultLabel`,
      (bad) => `/${bad}-prod.yml`,
      (bad) => `/orders-${bad}.properties`,
      (bad) => `/${bad}/orders-prod.json`,
      (bad) => `/orders/prod/${bad}/$explain?key=own`,
      (bad) => `/orders/${bad}/$watch`,
      (bad) => `/key/${bad}/prod`,
    ];
    const harmless = new Set(['linked', 'a'.repeat(300)]);
    for (const bad of UPWARDS) {
      for (const place of places) {
        const target = place(bad);
        // A name that leads nowhere is a name; what it finds is asked below.
        if (harmless.has(bad)) continue;
        await refused(request('GET', target, admin), [400, 404]);
      }
    }
    expect(sent.length).toBeGreaterThanOrEqual(150);
  }, 60_000);

  it('does not follow links that lead out', async () => {
    const targets = [
      '/linked/prod',
      '/orders/prod/main/linked.txt',
      '/orders/prod/main/linked/passwd',
      '/linked-prod.yml',
      '/orders/prod/linked.txt?useDefaultLabel',
      '/linked/prod/$explain?key=a',
    ];
    for (const target of targets) await refused(request('GET', target, admin), [404, 503]);
    const { text } = await raw(port, request('GET', '/stolen/prod/linked', admin));
    expect(text).not.toContain(SECRET);
  });

  it('tells nothing without a token, with a wrong one, or with that of another application', async () => {
    const targets = [
      '/stock/prod',
      '/stock/prod/main',
      '/stock-prod.yml',
      '/main/stock-prod.json',
      '/stock-prod.properties',
      '/orders,stock/prod',
      '/stock,orders/prod',
      '/orders/prod/main/stock.yml',
      '/orders/stock',
      '/stock/prod/$watch',
      '/stock/prod/$explain?key=password',
      '/orders/prod/stock.yml?useDefaultLabel',
      '/orders/stock/main/notes.txt',
      '/orders/prod/stock',
      '/orders/prod/main,stock',
      '/orders/prod/teams(_)stock',
      '/stock/orders-prod.yml',
      '/orders/prod/stock/application.yml',
      '/orders/prod/stock/$watch',
      '/orders/prod/stock/$explain?key=password',
      '/key',
      '/encrypt/status',
    ];
    const strangers = [
      '',
      'authorization: Bearer wrong\r\n',
      `authorization: bearer\r\n`,
      `authorization: ${TOKEN}\r\n`,
      basic('orders-token:'),
      basic(`${TOKEN}:x`),
      'authorization: Bearer the-server-token x\r\n',
      'authorization: Bearer undefined\r\n',
      `x-config-token: ${TOKEN}\r\n`,
    ];
    for (const target of targets) {
      for (const stranger of strangers) await refused(request('GET', target, stranger), [401]);
      await refused(request('GET', target, ofOrders), [400, 403]);
    }
  });

  it('takes no other verbs and no broken bodies', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      for (const target of ['/orders/prod', '/orders-prod.yml', '/orders/prod/main/notes.txt']) {
        await refused(request(method, target, admin), [400, 404, 405]);
      }
    }
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const bodies = [
      '',
      '[',
      'null',
      '[]',
      '1',
      '"x"',
      '{"__proto__": {"application": "orders"}}',
      deep,
      '{"application":1}',
      '{"application":"orders","keys":[]}',
      '{"application":"../x","keys":["a"]}',
      `{"application":"orders","keys":["${'k'.repeat(999)}"]}`,
      '\u00ff\u00fe',
      `{"application":"orders","keys":${JSON.stringify(Array.from({ length: 300 }, () => 'a'))}}`,
    ];
    for (const body of bodies) {
      await refused(request('POST', '/config/preview', admin, body), [400]);
      await refused(request('PUT', '/config/usage', admin, body), [400]);
      await refused(request('POST', '/monitor', admin, body), [401]);
      await refused(request('POST', '/decrypt', admin, body), [400, 413]);
    }
    const chunked = `transfer-encoding: chunked\r\n`;
    const chunks = `10000\r\n${'x'.repeat(65_536)}\r\n10000\r\n${'x'.repeat(65_536)}\r\n`;
    await refused(request('POST', '/decrypt', admin + chunked) + chunks, [413]);
    const huge = `content-length: 99999999\r\n`;
    for (const target of ['/monitor', '/encrypt', '/decrypt', '/config/preview']) {
      await refused(request('POST', target, admin + huge), [413]);
    }
    await refused(request('GET', '/orders/prod?wait=x', admin), [400]);
    await refused(request('GET', '/orders/prod?wait=-1s', admin), [400]);
    await refused(request('GET', '/orders/prod/$explain', admin), [400]);
    await refused(request('GET', `/orders/prod/$explain?key=${'k'.repeat(600)}`, admin), [400]);
  });

  it('answers as before, after all of this', async () => {
    expect(Object.prototype).not.toHaveProperty('application');
    const own = await raw(port, request('GET', '/orders/prod', ofOrders));
    expect([own.status, own.text.includes('"own":1')]).toEqual([200, true]);
    const file = await raw(port, request('GET', '/orders/prod/main/notes.txt', ofOrders));
    expect([file.status, file.text.includes('plain')]).toEqual([200, true]);
    const other = await raw(port, request('GET', '/stock/prod', admin));
    expect(other.text).toContain(SECRET);
    for (const target of ['/__proto__/prod', '/constructor/toString', '/orders/__proto__']) {
      expect((await raw(port, request('GET', target, admin))).status).toBe(200);
    }
  });
});

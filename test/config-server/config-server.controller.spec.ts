import type { Server } from 'node:http';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { Controller, Get, type INestApplication, Logger, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigServerModule } from '../../lib/config-server/config-server.module.js';
import { MemoryRepository } from '../../lib/config-server/repositories/memory.repository.js';
import { eventually } from '../support/eventually.js';
import { ConfigFolder, type Platform, startApp, startConfigServer } from './config-apps.js';

const V2 = 'application/vnd.spring-cloud.config-server.v2+json';

@Controller('health')
class HealthController {
  @Get(':what')
  read(): string {
    return 'up';
  }
}

@Controller()
class AdminController {
  @Get('admin/users')
  users(): string {
    return 'users';
  }
}

const basic = (password: string) => `Basic ${Buffer.from(`x:${password}`).toString('base64')}`;

const open: INestApplication[] = [];
const folders: ConfigFolder[] = [];

async function start(
  files: Record<string, string>,
  options: Parameters<typeof startConfigServer>[1] = {},
) {
  const folder = new ConfigFolder(files);
  folders.push(folder);
  const started = await startConfigServer(folder, options);
  open.push(started.app);
  return { ...started, folder };
}

/** Sends a request line as it is, which fetch would tidy up first; gives the answer's status and body. */
function raw(
  port: number,
  target: string,
  method = 'GET',
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => (text += String(chunk)));
    socket.on('error', reject).on('close', () => {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      resolve({ status: Number(head.split(' ')[1]), body: rest.join('\r\n\r\n') });
    });
    socket.write(`${method} ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  });
}

afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
  for (const folder of folders.splice(0)) folder.remove();
});

describe('the wire format of the config server', () => {
  const files = {
    'application.yml': 'log.level: info\ndb:\n  hosts: [d1, d2]\n',
    'orders-prod.yml': 'db:\n  hosts: [p1]\n  pool: {max: 50}\n  none: null\n',
  };

  it('is Spring’s', async () => {
    const { url } = await start(files);
    const response = await fetch(`${url}/orders/prod,eu`);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      name: 'orders',
      profiles: ['prod', 'eu'],
      label: null,
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      state: null,
      propertySources: [
        {
          name: 'file:orders-prod.yml',
          source: { 'db.hosts[0]': 'p1', 'db.pool.max': 50, 'db.none': '' },
        },
        {
          name: 'file:application.yml',
          source: { 'log.level': 'info', 'db.hosts[0]': 'd1', 'db.hosts[1]': 'd2' },
        },
      ],
    });
  });

  it('brings origins to those who ask for them', async () => {
    const { url } = await start(files);
    const response = await fetch(`${url}/orders/default/main`, { headers: { accept: V2 } });
    expect(response.headers.get('content-type')).toBe(V2);
    expect(await response.json()).toMatchObject({
      label: 'main',
      propertySources: [
        { source: { 'log.level': { value: 'info', origin: 'file:application.yml:1:12' } } },
      ],
    });
  });

  it('has no sources for an application that nobody knows', async () => {
    const { url } = await start({});
    expect(await (await fetch(`${url}/nobody/prod`)).json()).toMatchObject({ propertySources: [] });
  });

  it('answers HEAD without a body, and leaves other methods alone', async () => {
    const { url } = await start(files);
    const head = await fetch(`${url}/orders/prod`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(100);
    expect((await fetch(`${url}/orders/prod`, { method: 'POST' })).status).toBe(404);
  });
});

describe('asking again', () => {
  it('with the tag is answered 304, and each representation has its own', async () => {
    const { url } = await start({ 'orders.yml': 'a: 1' });
    const first = await fetch(`${url}/orders/prod`);
    const traced = await fetch(`${url}/orders/prod`, { headers: { accept: V2 } });
    const etag = first.headers.get('etag') ?? '';
    expect(traced.headers.get('etag')).not.toBe(etag);
    expect(first.headers.get('vary')).toBe('Accept');
    const again = await fetch(`${url}/orders/prod`, {
      headers: { 'if-none-match': `"x", ${etag}` },
    });
    expect([again.status, again.headers.get('etag')]).toEqual([304, etag]);
    const stale = await fetch(`${url}/orders/prod`, { headers: { 'if-none-match': '"x"' } });
    expect(stale.status).toBe(200);
  });

  it('is held until something changes', async () => {
    const { url, folder } = await start({ 'orders.yml': 'a: 1' });
    const first = await fetch(`${url}/orders/prod`);
    expect(first.headers.get('x-config-wait')).toBe('60s');
    const { version } = (await first.json()) as { version: string };
    const held = fetch(`${url}/orders/prod?wait=30s&version=${version}`);
    folder.write('orders.yml', 'a: 2');
    expect(await (await held).json()).toMatchObject({ propertySources: [{ source: { a: 2 } }] });
  });

  it('is answered 304 when the time is over, and 400 when the time is none', async () => {
    const { url } = await start({ 'orders.yml': 'a: 1' });
    const etag = (await fetch(`${url}/orders/prod`)).headers.get('etag') ?? '';
    const ask = (wait: string) =>
      fetch(`${url}/orders/prod?wait=${wait}`, { headers: { 'if-none-match': etag } });
    expect((await ask('50ms')).status).toBe(304);
    expect((await ask('soon')).status).toBe(400);
    expect((await fetch(`${url}/orders/prod?wait=30s`)).status).toBe(200);
  });

  it('does not keep the server from stopping', async () => {
    const { url, app } = await start({ 'orders.yml': 'a: 1' });
    const etag = (await fetch(`${url}/orders/prod`)).headers.get('etag') ?? '';
    const held = fetch(`${url}/orders/prod?wait=60s`, { headers: { 'if-none-match': etag } });
    // The held request is known to be there once a later one has been answered.
    await fetch(`${url}/orders/prod`);
    const began = performance.now();
    await Promise.all([app.close(), held.then((response) => expect(response.status).toBe(503))]);
    expect(performance.now() - began).toBeLessThan(4_000);
    open.length = 0;
  });

  it('wakes a thousand who wait with one change', async () => {
    const repository = new MemoryRepository({ orders: [{ name: 'm', source: { a: 1 } }] });
    const { app, url } = await startApp({ imports: [ConfigServerModule.forRoot({ repository })] });
    open.push(app);
    const etag = (await fetch(`${url}/orders/prod`)).headers.get('etag') ?? '';
    const asked = Array.from({ length: 1_000 }, () =>
      fetch(`${url}/orders/prod?wait=30s`, { headers: { 'if-none-match': etag } }),
    );
    const server = app.getHttpServer() as Server;
    await eventually(async () => {
      expect(await promisify(server.getConnections.bind(server))()).toBeGreaterThanOrEqual(1_000);
    }, 10_000);
    repository.set({ orders: [{ name: 'm', source: { a: 2 } }] });
    const statuses = await Promise.all(asked.map(async (each) => (await each).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
  }, 20_000);
});

describe('a broken file', () => {
  it('keeps the last good configuration, is answered 503 where there is none, and heals in under two seconds', async () => {
    const { url, folder } = await start({ 'orders.yml': 'a: 1' });
    const ask = (name: string) => fetch(`${url}/${name}/prod`);
    expect((await ask('orders')).status).toBe(200);
    folder.write('orders.yml', 'a: [');
    folder.write('stock.yml', 'b: 1\nb: 2\n');
    const failed = await ask('stock');
    expect(failed.status).toBe(503);
    expect(await failed.json()).toEqual({
      status: 503,
      error: 'ERR_CONFIG_REPOSITORY',
      message: 'stock.yml:2: "b" stands here a second time. Keep one of them.',
    });
    expect(await (await ask('orders')).json()).toMatchObject({
      propertySources: [{ source: { a: 1 } }],
    });
    folder.write('orders.yml', 'a: 3');
    folder.write('stock.yml', 'b: 3');
    await eventually(async () => {
      expect(await (await ask('orders')).json()).toMatchObject({
        propertySources: [{ source: { a: 3 } }],
      });
      expect((await ask('stock')).status).toBe(200);
    }, 2_000);
  });
});

describe.each<Platform>(['express', 'fastify'])(
  'the paths of the config server on %s',
  (platform) => {
    it('leave the application’s own controllers alone, whatever the order of modules', async () => {
      @Module({ controllers: [HealthController, AdminController] })
      class Own {}
      const repository = new MemoryRepository();
      const server = ConfigServerModule.forRoot({ repository });
      for (const imports of [
        [server, Own],
        [Own, server],
      ]) {
        const { app, url } = await startApp({ imports }, { platform });
        open.push(app);
        const text = async (path: string) => (await fetch(`${url}${path}`)).text();
        expect(await text('/health/ready')).toBe('up');
        expect(await text('/admin/users')).toBe('users');
        expect(await text('/orders/prod')).toContain('propertySources');
      }
    });

    it('can stand under a prefix', async () => {
      const { url } = await start({ 'health.yml': 'a: 1' }, { platform, prefix: '/config/v1' });
      expect((await fetch(`${url}/config/v1/health/prod`)).status).toBe(200);
      expect((await fetch(`${url}/orders/prod`)).status).toBe(404);
      expect((await fetch(`${url}/config/v12/orders`)).status).toBe(404);
    });

    it('ask for the token, as a bearer or as a password', async () => {
      const token = 'correct-horse';
      const { url } = await start({ 'orders.yml': 'a: 1' }, { platform, token });
      const status = async (authorization?: string) =>
        (await fetch(`${url}/orders/prod`, authorization ? { headers: { authorization } } : {}))
          .status;
      expect(await status(`Bearer ${token}`)).toBe(200);
      expect(await status(basic(token))).toBe(200);
      const wrong = [
        undefined,
        'Bearer wrong',
        `Bearer ${token}x`,
        basic('wrong'),
        basic(''),
        'Bearer',
        token,
        `Digest ${token}`,
      ];
      for (const authorization of wrong) expect(await status(authorization)).toBe(401);
    });

    it('lead nowhere else, however they are written', async () => {
      const { port, folder } = await start(
        { 'orders.yml': 'a: 1', 'application.yml': 'b: 1' },
        { platform },
      );
      const parent = new ConfigFolder({ 'stolen.yml': 'secret: hunter22' });
      folders.push(parent);
      const up = `../${parent.path.split('/').at(-1)}/stolen`;
      const encoded = up.replaceAll('/', '%2f');
      const twice = encoded.replaceAll('%', '%25');
      const targets = [
        `/${encoded}/prod`,
        `/${twice}/prod`,
        `/orders/${encoded}`,
        `/orders/${twice}`,
        `/orders/prod/${encoded}`,
        `/orders/prod/${twice}`,
        `/stolen/prod/${encoded}`,
        '/stolen/prod/..',
        '/stolen/prod/.',
        '/stolen/prod/...',
        '/stolen/prod/%2e%2e',
        '/stolen/prod/%252e%252e',
        '/stolen/prod/(_)',
        '/stolen/prod/..(_)',
        '/stolen/prod/(_)..(_)x',
        '/stolen/prod/x(_)..',
        '/stolen/prod/(_)etc',
        '/..%252f..%252fetc%252fpasswd%23foo/dev',
        '/x/y/main/..%252f..%252fetc/passwd',
        '/x/y/..%5c..%5cetc',
        '/..\\..\\etc/prod',
        '/orders/prod%00',
        '/orders%00/prod',
        '/orders/prod/%00',
        '/orders/prod/main%0d%0ax:1',
        '/orders/%c0%ae%c0%ae',
        '/orders/prod/%c0%af',
        '/%ff/prod',
        '/%/prod',
        '/orders/%zz',
        '/orders/prod/%u002e',
        '/orders/${user.home}',
        '/%24%7bPATH%7d/prod',
        '/orders/{profile}',
        '/*/prod',
        '/orders/*',
        '/orders/prod;x=1',
        '/orders;a/prod',
        '/orders/prod/~root',
        '/.orders/prod',
        '/.git/config',
        '/orders/.env',
        '/orders./prod',
        '/orders/prod/.git',
        '/orders/a..b',
        '/a..b/prod',
        '/orders/prod,',
        '/,/prod',
        '/orders/prod,,eu',
        `/${'a'.repeat(65)}/prod`,
        `/orders/${'a,'.repeat(20)}a`,
        '/orders/prod/main,',
        '/orders/prod/a(_)',
        '/orders/prod/%28_%29x',
        '/orders/prod/file:%2f%2fetc',
        '/http:%2f%2fhost/prod',
        '/orders/%20',
        '/orders/pr%20od',
        '/orders/prod#x',
        '/ö/prod',
        '/orders/prod%E2%80%AE',
        '/__proto__%2f/prod',
      ];
      expect(targets.length).toBeGreaterThanOrEqual(40);
      for (const target of targets) {
        const { status, body } = await raw(port, target);
        expect([target, [400, 404].includes(status)]).toEqual([target, true]);
        expect(body).not.toMatch(/hunter22|root:|propertySources/);
      }
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
        expect((await raw(port, '/orders/prod', method)).body).not.toContain('propertySources');
      }
      // Names that only look dangerous find nothing but what everyone may read.
      for (const target of [
        '/__proto__/prod',
        '/constructor/toString',
        '/orders/prod/constructor',
      ]) {
        expect((await raw(port, target)).status).toBe(200);
      }
      expect((await raw(port, '/orders/prod')).body).toContain('"a":1');
      expect(folder.path).not.toBe(parent.path);
    });
  },
);

describe('a server that everyone can reach', () => {
  it.each([
    ['0.0.0.0', undefined, 1],
    ['::', undefined, 1],
    ['0.0.0.0', 'correct-horse', 0],
    ['127.0.0.1', undefined, 0],
    ['::1', undefined, 0],
  ])('on %s with the token %s is warned of %i times', async (address, token, times) => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const repository = new MemoryRepository();
    const options = { repository, ...(token ? { token } : {}) };
    const module = await Test.createTestingModule({
      imports: [ConfigServerModule.forRoot(options)],
    }).compile();
    const app = module.createNestApplication();
    open.push(app);
    await app.init();
    const server = app.getHttpServer() as Server;
    // Tests listen on this machine alone.
    jest.spyOn(server, 'address').mockReturnValue({ address, port: 8888, family: '' });
    server.emit('listening');
    expect(warn.mock.calls.map(([message]) => String(message))).toEqual(
      Array.from(
        { length: times },
        () =>
          'Everyone who reaches port 8888 can read every configuration. Set configServer.token, or listen on 127.0.0.1.',
      ),
    );
    jest.restoreAllMocks();
  });
});

describe('the options of the config server', () => {
  it.each<[object, string]>([
    [
      {},
      "configServer.repository is undefined. It must be a ConfigRepository, such as fileRepository({ path: 'config' }).",
    ],
    [
      { repository: new MemoryRepository(), prefix: 'config/' },
      "configServer.prefix is 'config/'. Write it like '/config'",
    ],
    [{ repository: new MemoryRepository(), token: 'short' }, 'Make it at least 8 characters'],
    [
      { repository: new MemoryRepository(), tokn: 'x' },
      'configServer.tokn is not an option. Did you mean "token"?',
    ],
  ])('refuse %j', async (options, sentence) => {
    const module = ConfigServerModule.forRootAsync({
      useFactory: () => options as { repository: MemoryRepository },
    });
    await expect(startApp({ imports: [module] })).rejects.toThrow(sentence);
  });
});

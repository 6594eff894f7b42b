import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { GatewayRoutes } from '../../../lib/gateway/gateway-routes.js';
import { WebSocketTunnels } from '../../../lib/gateway/proxy/websocket-tunnels.js';
import { Upstreams } from '../../../lib/upstream/upstreams.js';
import { eventually } from '../../support/eventually.js';
import { ADAPTERS, NestColony, type StartedApp } from '../support/nest-colony.js';
import { exchangeRaw, statusOf } from '../support/raw-http.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

@Controller()
class Local {
  @Get('local') local() {
    return 'local';
  }
}

/** A handshake, with what a case changes. */
function opening(path: string, changes: { remove?: RegExp; add?: string; line?: string } = {}) {
  const head = [
    changes.line ?? `GET ${path} HTTP/1.1`,
    'Host: shop',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ].filter((line) => !changes.remove?.test(line));
  return `${head.join('\r\n')}\r\n${changes.add ?? ''}\r\n`;
}

/** The upstream's 101 to a handshake. */
function accepted(request: string): string {
  const key = /sec-websocket-key: (\S+)/i.exec(request)?.[1] ?? '';
  const proof = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proof.digest('base64')}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`;
}

/** A server of bytes that echoes behind its 101, and answers as the path tells it. */
class EchoServer {
  readonly sockets = new Set<Socket>();
  readonly heads: string[] = [];
  private readonly server: Server;

  constructor() {
    this.server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
      let head = '';
      socket.on('data', (bytes) => {
        if (head.includes('\r\n\r\n')) return void (socket.write(bytes) || socket.pause());
        head += bytes.toString('latin1');
        if (!head.includes('\r\n\r\n')) return undefined;
        this.heads.push(head);
        return this.answer(head, socket);
      });
      socket.on('drain', () => socket.resume());
      socket.on('end', () => socket.end(head.includes('/farewell') ? 'farewell' : ''));
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private answer(head: string, socket: Socket): void {
    const path = /^GET \/ws\/(\w+)/.exec(head)?.[1] ?? '';
    if (path === 'silent') return;
    if (path === 'refused') {
      socket.write(
        'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\ncontent-length: 4\r\n\r\nnope',
      );
    } else if (path === 'plain') {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
    } else if (path === 'unproven') {
      socket.write(accepted('sec-websocket-key: other'));
    } else if (path === 'otherwise') {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      );
    } else if (path === 'dead') socket.destroy();
    else if (path === 'early') socket.write(`${accepted(head)}first`);
    else socket.write(accepted(head));
  }
}

/** A client with its handshake done. */
async function open(port: number, path: string): Promise<{ socket: Socket; head: string }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(opening(path));
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  const head = bytes.toString('latin1');
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  return { socket, head };
}

/** Everything a socket says from now on, to its end. */
async function rest(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  socket.on('end', () => socket.end());
  await once(socket, 'close');
  return text;
}

describe.each(ADAPTERS)('a WebSocket through a gateway on %s', (adapter) => {
  const colony = new NestColony();
  const upstream = new EchoServer();
  let gateway: StartedApp;
  let origin: string;

  beforeAll(async () => {
    origin = await upstream.listen();
    gateway = await colony.start('gateway', {
      adapter,
      controllers: [Local],
      upstream: { defaults: { circuit: false, outlier: false } },
      gateway: {
        discovery: { enabled: false },
        limits: { webSockets: 4 },
        timeouts: { webSocketIdle: '300ms' },
        routes: [
          { path: '/ws/silent', to: origin, timeout: '100ms' },
          { path: '/ws/{*rest}', to: origin },
          { path: '/api/private', to: origin, rewrite: '/ws/echo' },
          { path: '/post', method: 'POST', to: origin },
        ],
      },
    });
  });
  afterEach(async () => {
    for (const socket of upstream.sockets) socket.destroy();
    await eventually(() => expect(tunnels().count).toBe(0));
    upstream.heads.length = 0;
  });
  afterAll(async () => {
    await colony.close();
    await upstream.close();
  });

  const tunnels = () => gateway.app.get(WebSocketTunnels);
  const ask = (request: string, until?: RegExp) => exchangeRaw(gateway.port, request, until);

  it('passes bytes both ways as they are, and says so in its answer', async () => {
    const { socket, head } = await open(gateway.port, '/ws/echo?room=1%2F2');
    expect(head).toMatch(/\r\nconnection: Upgrade\r\nupgrade: websocket\r\n/);
    expect(head).toMatch(/Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    expect(head).toMatch(/Sec-WebSocket-Protocol: chat\r\n/);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, code) => code));
    socket.write(bytes);
    const [echo] = (await once(socket, 'data')) as [Buffer];
    expect(echo.equals(bytes)).toBe(true);
    expect(upstream.heads[0]).toMatch(/^GET \/ws\/echo\?room=1%2F2 HTTP\/1\.1\r\n/);
    expect(upstream.heads[0]).toMatch(/\r\nconnection: Upgrade\r\nupgrade: websocket\r\n/);
    expect(upstream.heads[0]).toMatch(/\r\nx-forwarded-for: 127\.0\.0\.1\r\n/);
    socket.destroy();
  });

  it('passes on what came together with the 101', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => (text += bytes.toString('latin1')));
    socket.write(opening('/ws/early'));
    await eventually(() => expect(text).toMatch(/\r\n\r\nfirst$/));
    socket.destroy();
  });

  it('counts as under way at its endpoint until it ends', async () => {
    const endpoint = gateway.app.get(Upstreams).to(origin).endpoints[0];
    const { socket } = await open(gateway.port, '/ws/echo');
    expect([endpoint?.active, tunnels().count]).toEqual([1, 1]);
    socket.destroy();
    await eventually(() => expect([endpoint?.active, tunnels().count]).toEqual([0, 0]));
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });

  it('lets one side end while the other still speaks', async () => {
    const { socket } = await open(gateway.port, '/ws/farewell');
    socket.end('last');
    expect(await rest(socket)).toBe('lastfarewell');
  });

  it('ends with its endpoint', async () => {
    const { socket } = await open(gateway.port, '/ws/echo');
    const ended = rest(socket);
    for (const one of upstream.sockets) one.resetAndDestroy();
    expect(await ended).toBe('');
  });

  it('ends when both sides are silent for too long', async () => {
    const { socket } = await open(gateway.port, '/ws/echo');
    const ended = rest(socket);
    socket.write('hello');
    expect(await ended).toBe('hello');
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });

  it('waits for the side that does not read', async () => {
    const { socket } = await open(gateway.port, '/ws/echo');
    socket.pause();
    const chunk = Buffer.alloc(65_536, 'x');
    let sent = 0;
    let full = false;
    while (!full && sent < 1_024) {
      sent++;
      if (socket.write(chunk)) continue;
      const drained = once(socket, 'drain').then(() => false);
      full = await Promise.race([drained, pause(100).then(() => true)]);
    }
    expect(full).toBe(true);
    let came = 0;
    socket.on('data', (bytes: Buffer) => (came += bytes.length)).resume();
    await eventually(() => expect(came).toBe(sent * chunk.length));
    socket.destroy();
  });

  it.each([
    ['a refusal', 'refused', 401, /www-authenticate: Basic\r\n[^]*\r\n\r\nnope$/],
    ['an answer in chunks', 'plain', 200, /ok\r\n0\r\n\r\n$/],
    ['silence', 'silent', 504, /problem\+json/],
    ['an end without an answer', 'dead', 502, /problem\+json/],
    ['a 101 to another handshake', 'unproven', 502, /problem\+json/],
    ['a 101 to another protocol', 'otherwise', 502, /problem\+json/],
  ])('is not opened by %s, which ends the connection', async (_name, path, status, text) => {
    const answer = await ask(opening(`/ws/${path}`));
    expect(statusOf(answer)).toBe(status);
    expect(answer).toMatch(text);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(tunnels().count).toBe(0);
  });

  it.each([
    ['two protocols', { add: 'Upgrade: h2c\r\n' }],
    ['a list of protocols', { remove: /^Upgrade/, add: 'Upgrade: websocket, h2c\r\n' }],
    ['another method', { line: 'POST /ws/echo HTTP/1.1' }],
    ['HTTP/1.0', { line: 'GET /ws/echo HTTP/1.0' }],
    ['no key', { remove: /Key/ }],
    ['two keys', { add: `Sec-WebSocket-Key: ${KEY}\r\n` }],
    ['a key of another length', { remove: /Key/, add: 'Sec-WebSocket-Key: AAAA\r\n' }],
    ['a body', { add: 'Content-Length: 4\r\n' }],
    ['a body in chunks', { add: 'Transfer-Encoding: chunked\r\n' }],
    ['two hosts', { add: 'Host: other\r\n' }],
    ['no host', { remove: /^Host/ }],
  ])('is refused with %s', async (_name, changes) => {
    expect(statusOf(await ask(opening('/ws/echo', changes)))).toBe(400);
    expect(upstream.heads).toEqual([]);
  });

  it('is refused when bytes come before its answer', async () => {
    expect(statusOf(await ask(`${opening('/ws/echo')}GET /secret HTTP/1.1\r\n\r\n`))).toBe(400);
    expect(upstream.heads).toEqual([]);
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(opening('/ws/silent'));
    await eventually(() => expect(upstream.heads).toHaveLength(1));
    const answer = rest(socket);
    socket.write('early');
    expect(statusOf(await answer)).toBe(400);
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });

  it('is given up when its client leaves before the answer', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(opening('/ws/silent'));
    await eventually(() => expect(upstream.heads).toHaveLength(1));
    socket.end();
    await eventually(() => expect(upstream.sockets.size).toBe(0), 80);
    socket.destroy();
  });

  it('waits for its turn behind a request that is not answered yet', async () => {
    const answer = await ask(
      `GET /ws/silent HTTP/1.1\r\nHost: a\r\n\r\n${opening('/ws/echo')}`,
      / 101 /,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 504 [^]*HTTP\/1\.1 101 /);
  });

  it('does not begin where Node reads on behind a request that is not answered yet', async () => {
    const first = 'GET /ws/silent HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n';
    const answer = await ask(`${first}${opening('/ws/echo')}`);
    expect(answer).toBe('');
    expect(upstream.heads.filter((head) => head.includes('/ws/echo'))).toEqual([]);
  });

  it.each([
    '/api/private',
    '/api/./private',
    '/%61pi/private',
    '/api//private',
    '/api/private;a',
    '/api/x/%2e%2e/private',
    'http://shop/api/private',
  ])('%s is the route that it is for requests', async (path) => {
    const { socket } = await open(gateway.port, path);
    expect(upstream.heads[0]).toMatch(/^GET \/ws\/echo HTTP\/1\.1\r\n/);
    socket.destroy();
  });

  it.each([
    ['/api%2fprivate', 400],
    ['/api\\private', 400],
    ['/../api/private', 400],
    ['/ws/%00', 400],
    ['http://other/api/private', 421],
    ['/unknown', 404],
    ['/local', 404],
    ['/post', 404],
  ])('%s is answered %d', async (path, status) => {
    expect(statusOf(await ask(opening(path)))).toBe(status);
    expect(upstream.heads).toEqual([]);
  });

  it('is refused when there are enough, and taken again when one has ended', async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => open(gateway.port, '/ws/echo')));
    expect(statusOf(await ask(opening('/ws/echo')))).toBe(503);
    for (const { socket } of opened) socket.destroy();
    await eventually(() => expect(tunnels().count).toBe(0));
    expect(statusOf(await ask(opening('/ws/refused')))).toBe(401);
    (await open(gateway.port, '/ws/echo')).socket.destroy();
  });

  it('leaves requests on other connections alone', async () => {
    const { socket } = await open(gateway.port, '/ws/echo');
    expect(await ask('GET /local HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
      /local$/,
    );
    expect(gateway.app.get(GatewayRoutes).list()).toHaveLength(4);
    socket.destroy();
  });
});

describe.each(ADAPTERS)('WebSockets of a gateway on %s that closes', (adapter) => {
  it('end, and do not hold it up', async () => {
    const colony = new NestColony();
    const upstream = new EchoServer();
    const gateway = await colony.start('gateway', {
      adapter,
      gateway: {
        discovery: { enabled: false },
        routes: [{ path: '/ws/{*rest}', to: await upstream.listen() }],
      },
    });
    const polite = await open(gateway.port, '/ws/echo');
    const deaf = await open(gateway.port, '/ws/echo');
    deaf.socket.pause();
    const ended = rest(polite.socket).then(() => true);
    const before = performance.now();
    await colony.stop(gateway);
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(await ended).toBe(true);
    deaf.socket.destroy();
    await upstream.close();
  });
});

describe.each(ADAPTERS)('an upgrade on %s that no route matches', (adapter) => {
  it('goes to who else listens, before and after the start', async () => {
    const colony = new NestColony();
    const heard: string[] = [];
    const listenAs = (name: string) => (_request: unknown, socket: Socket) => {
      heard.push(name);
      if (!socket.writableEnded) socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    };
    const { app, port } = await colony.start('gateway', {
      adapter,
      gateway: {
        discovery: { enabled: false },
        routes: [{ path: '/ws', to: 'http://127.0.0.1:9' }],
      },
      prepare: (made) => void made.getHttpServer().on('upgrade', listenAs('before')),
    });
    expect(statusOf(await exchangeRaw(port, opening('/mine')))).toBe(101);
    app.getHttpServer().on('upgrade', listenAs('after'));
    expect(statusOf(await exchangeRaw(port, opening('/mine')))).toBe(101);
    expect(heard).toEqual(['before', 'before', 'after']);
    expect(statusOf(await exchangeRaw(port, opening('/ws')))).toBe(502);
    expect(heard).toHaveLength(3);
    await colony.close();
  });
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { NestColony, type StartedApp, WAYS } from '../support/nest-colony.js';
import { exchangeRaw, RawServer, statusOf } from '../support/raw-http.js';

@Controller()
class Local {
  @Get('local') local() {
    return 'local';
  }
}

/** What the raw upstream answers, chosen by the request's path. */
const ANSWERS: Readonly<Record<string, string>> = {
  ok: 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  hop: 'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: x\r\nTrailer: x\r\nX-Kept: yes\r\ncontent-length: 2\r\n\r\nok',
  latin1: 'HTTP/1.1 200 OK\r\nX-Name: caf\u00e9\r\ncontent-length: 2\r\n\r\nok',
  cookies: 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\ncontent-length: 2\r\n\r\nok',
  reason: 'HTTP/1.1 200 <script>\r\ncontent-length: 2\r\n\r\nok',
  chunked: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  'no-content': 'HTTP/1.1 204 No Content\r\n\r\n',
  'not-modified': 'HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\netag: "x"\r\n\r\n',
  head: 'HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n',
  early:
    'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
  'two-lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nokk',
  'odd-status': 'HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n',
  garbage: 'SSH-2.0-OpenSSH\r\n\r\n',
  switch: 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
};

/** Answers that end with the connection. */
const CLOSING: Readonly<Record<string, string>> = {
  'until-close': 'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  truncated: 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnot all',
  'truncated-chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab',
  nothing: '',
};

const one = (key: string) => `GET /answer/${key} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe.each(WAYS)('a request through a gateway on $adapter, by $way', ({ adapter, fastLane }) => {
  const colony = new NestColony();
  let upstream: RawServer;
  let gateway: StartedApp;

  beforeAll(async () => {
    upstream = new RawServer((request, socket) => {
      const end = request.indexOf('\r\n\r\n');
      if (end === -1 || !isComplete(request, end)) return false;
      const key = /^\S+ \/answer\/([\w-]+)/.exec(request)?.[1] ?? '';
      const answer = ANSWERS[key];
      const whole = request.startsWith('HEAD ')
        ? answer?.replace(/(?<=\r\n\r\n)[^]*$/, '')
        : answer;
      if (whole !== undefined) socket.write(whole, 'latin1');
      else if (CLOSING[key] !== undefined) socket.end(CLOSING[key], 'latin1');
      return true;
    });
    const origin = await upstream.listen();
    gateway = await colony.start('gateway', {
      adapter,
      controllers: [Local],
      // Many answers below are failures on purpose.
      upstream: { defaults: { circuit: false, outlier: false, retry: false } },
      gateway: {
        fastLane,
        discovery: { enabled: false },
        limits: { body: 1_000, head: 8_000 },
        routes: [
          { path: '/answer/{*rest}', to: origin },
          { path: '/quick/{*rest}', to: origin, timeout: '100ms', rewrite: '/answer/{*rest}' },
          { path: '/closed', to: 'http://127.0.0.1:9' },
          { path: '/api/private', to: origin, rewrite: '/answer/ok' },
        ],
      },
    });
  });
  beforeEach(() => upstream.forget());
  afterAll(async () => {
    await colony.close();
    await upstream.close();
  });

  const ask = (request: string, until?: string | RegExp) =>
    exchangeRaw(gateway.port, request, until);
  const get = (path: string, headers = '', method = 'GET') =>
    ask(`${method} ${path} HTTP/1.1\r\nHost: shop\r\n${headers}Connection: close\r\n\r\n`);
  /** What the upstream was sent, as lines in small letters. */
  const sent = () => upstream.received.split('\r\n').map((line) => line.toLowerCase());

  describe('is told apart by its path', () => {
    it.each([
      '/api/private',
      '/api/./private',
      '/api/%2e/private',
      '/api/x/../private',
      '/api/x/%2e%2e/private',
      '/api//private',
      '//api/private',
      '/%61pi/private',
      '/api/priv%61te',
      '/api/private/',
      '/api/private;a',
      '/api;v=1/private',
      '/api/x/..;a/private',
      '/./api/private',
      'http://shop/api/private',
      '/api/private?x=/../y',
    ])('%s is the guarded route', async (path) => {
      expect(statusOf(await get(path))).toBe(200);
      expect(upstream.received).toMatch(/^GET \/answer\/ok\/?(\?x=\/\.\.\/y)? HTTP\/1\.1\r\n/);
    });

    it.each([
      '/api\\private',
      '/api%5cprivate',
      '/api%2fprivate',
      '/api%2Fprivate',
      '/api/private%00',
      '/api/private%0a',
      '/api/private%0d%0aX:1',
      '/api/%',
      '/api/%zz',
      '/../api/private',
      '/%2e%2e/api/private',
      '/api/..;/../../private',
      '/api/private#x',
      '/api/;/private',
      '/api%c0%afprivate',
    ])('%s is refused', async (path) => {
      const answer = await get(path);
      expect(statusOf(answer)).toBe(400);
      expect(upstream.received).toBe('');
    });

    it.each([
      '/apix/private',
      '/API/private',
      '/api/private/x',
      '/api/privatex',
      '/api/private%252f',
    ])('%s is another path', async (path) => {
      expect(statusOf(await get(path))).toBe(404);
      expect(upstream.received).toBe('');
    });

    it('does not pass where the target and Host differ', async () => {
      expect(statusOf(await get('http://other/api/private'))).toBe(421);
    });

    it('goes on to Nest when no route matches', async () => {
      expect(await get('/local')).toMatch(/local$/);
      expect(statusOf(await get('/unknown'))).toBe(404);
    });

    it('is guarded alike for HEAD', async () => {
      expect(statusOf(await get('/api/./private', '', 'HEAD'))).toBe(200);
      expect(upstream.received).toMatch(/^HEAD \/answer\/ok /);
    });
  });

  describe('is refused when its framing is not sound', () => {
    it.each([
      ['two hosts', 'GET /answer/ok HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
      ['no host', 'GET /answer/ok HTTP/1.1\r\n\r\n'],
      ['a host with a path', 'GET /answer/ok HTTP/1.1\r\nHost: a/b\r\n\r\n'],
      ['a host with a user', 'GET /answer/ok HTTP/1.1\r\nHost: u@a\r\n\r\n'],
      [
        'two lengths',
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
      ],
      [
        'a length with a sign',
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx',
      ],
      [
        'a length and chunks',
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      [
        'two encodings',
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      ],
      [
        'chunks twice',
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      [
        'an odd encoding',
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      ],
      [
        'chunks in HTTP/1.0',
        'POST /answer/ok HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['a space before the colon', 'GET /answer/ok HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n'],
      ['a folded line', 'GET /answer/ok HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n'],
      ['a bare line feed', 'GET /answer/ok HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n'],
      [
        'two credentials',
        'GET /answer/ok HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: y\r\n\r\n',
      ],
      ['TRACE', 'TRACE /answer/ok HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ])('%s', async (_what, request) => {
      expect(statusOf(await ask(request))).toBe(400);
      expect(upstream.received).toBe('');
    });

    it('a head that is too large', async () => {
      const answer = await get('/answer/ok', `X-Large: ${'x'.repeat(8_000)}\r\n`);
      expect(statusOf(answer)).toBe(431);
    });

    it('more headers than Node usually keeps are all passed on', async () => {
      const many = Array.from({ length: 1_200 }, (_, n) => `a:${n % 10}\r\n`).join('');
      expect(statusOf(await get('/answer/ok', `${many}Last: one\r\n`))).toBe(200);
      expect(sent()).toContain('last: one');
    });
  });

  describe('has headers', () => {
    it.each([
      ['Keep-Alive: timeout=5', 'keep-alive'],
      ['TE: gzip', 'te'],
      ['Trailer: x', 'trailer'],
      ['Upgrade: h2c', 'upgrade'],
      ['HTTP2-Settings: x', 'http2-settings'],
      ['Proxy-Connection: x', 'proxy-connection'],
      ['Proxy-Authorization: x', 'proxy-authorization'],
      ['Forwarded: for=6.6.6.6', 'forwarded'],
      ['X-Real-IP: 6.6.6.6', 'x-real-ip'],
      ['X_Real_IP: 6.6.6.6', 'x_real_ip'],
      ['True-Client-IP: 6.6.6.6', 'true-client-ip'],
      ['X-Original-URL: /x', 'x-original-url'],
      ['X-Rewrite-URL: /x', 'x-rewrite-url'],
      ['X-Forwarded-Port: 1', 'x-forwarded-port'],
      ['X-Forwarded-Prefix: /x', 'x-forwarded-prefix'],
      ['x_forwarded_for: 6.6.6.6', 'x_forwarded_for'],
      ['x_correlation_id: forged', 'x_correlation_id'],
      ['tracestate: x=1', 'tracestate'],
      ['Connection: close, X-Custom\r\nX-Custom: 1', 'x-custom'],
      ['connection: X-CUSTOM, close\r\nX-Custom: 1', 'x-custom'],
    ])('that do not pass: %s', async (header, name) => {
      await get('/answer/ok', `${header}\r\n`);
      const names = sent().map((line) => line.split(':', 1)[0]);
      expect(names).toContain('host');
      expect(names).not.toContain(name);
    });

    it.each([
      'Accept: */*',
      'Cookie: a=1; b=2',
      'Authorization: Bearer x',
      'If-None-Match: "x"',
      'X-Custom: 1',
      'X-Name: caf\u00e9',
    ])('that pass as they are: %s', async (header) => {
      await get('/answer/ok', `${header}\r\n`);
      expect(upstream.received).toContain(`\r\n${header}\r\n`);
    });

    it('of its own, which nobody can spoof, double or have taken away', async () => {
      await get(
        '/answer/ok',
        'X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nConnection: X-Forwarded-For, traceparent, x-correlation-id, host, cookie\r\nCookie: kept\r\n',
      );
      const lines = sent();
      const of = (name: string) => lines.filter((line) => line.startsWith(`${name}:`));
      expect(of('x-forwarded-for')).toEqual(['x-forwarded-for: 127.0.0.1']);
      expect(of('x-forwarded-host')).toEqual(['x-forwarded-host: shop']);
      expect(of('x-forwarded-proto')).toEqual(['x-forwarded-proto: http']);
      expect(of('cookie')).toEqual(['cookie: kept']);
      expect(of('traceparent')).toHaveLength(1);
      expect(of('x-correlation-id')).toHaveLength(1);
      expect(of('host')).toEqual([expect.stringMatching(/^host: 127\.0\.0\.1:\d+$/)]);
    });
  });

  describe('has a body', () => {
    it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH'])(
      'with a length, for %s too',
      async (method) => {
        const answer = await ask(
          `${method} /answer/ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`,
        );
        expect(statusOf(answer)).toBe(200);
        expect(upstream.received).toMatch(/content-length: 5\r\n[^]*\r\n\r\nhello$/i);
      },
    );

    it('in chunks', async () => {
      const answer = await ask(
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n',
      );
      expect(statusOf(answer)).toBe(200);
      const [head = '', ...body] = upstream.received.split('\r\n\r\n');
      expect(head.match(/transfer-encoding: chunked/gi)).toHaveLength(1);
      const text = body.join('\r\n\r\n');
      expect(text).toMatch(/^(3\r\nabc\r\n2\r\nde|5\r\nabcde)\r\n0\r\n\r\n$/);
      expect(text).not.toContain('X-Trailer');
    });

    it('after it was told to continue', async () => {
      const socket = connect(gateway.port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
      socket.write(
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
      );
      await eventually(() => expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n/));
      socket.write('hello');
      await once(socket, 'close');
      expect(answer).toMatch(/HTTP\/1\.1 200 OK/);
      expect(sent().join('\n')).not.toMatch(/expect/);
    });

    it('that says that it is too large, and is not sent', async () => {
      const answer = await ask(
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n',
        /requestId/,
      );
      expect(statusOf(answer)).toBe(413);
      expect(upstream.received).toBe('');
    });

    it('that turns out too large on its way', async () => {
      const answer = await ask(
        `POST /answer/ok HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${`1f4\r\n${'x'.repeat(500)}\r\n`.repeat(4)}`,
        /requestId/,
      );
      expect(statusOf(answer)).toBe(413);
    });
  });

  describe('gets an answer', () => {
    it.each([
      ['ok', 200, /\r\n\r\nok$/],
      ['latin1', 200, /X-Name: caf\u00e9\r\n/],
      ['cookies', 200, /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/],
      ['reason', 200, /^HTTP\/1\.1 200 OK\r\n/],
      ['chunked', 200, /3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n$|5\r\nabcde\r\n0\r\n\r\n$/],
      ['no-content', 204, /\r\n\r\n$/],
      ['not-modified', 304, /etag: "x"[^]*\r\n\r\n$/],
      ['early', 103, /HTTP\/1\.1 200 OK[^]*\r\n\r\nok$/],
      ['until-close', 200, /until the end\r\n0\r\n\r\n$/],
    ])('that is whole: %s', async (key, status, text) => {
      const answer = await get(`/answer/${key}`);
      expect(statusOf(answer)).toBe(status);
      expect(answer).toMatch(text);
    });

    it('without what ends at the hop, and without what Connection names', async () => {
      const answer = (await get('/answer/hop')).toLowerCase();
      expect(answer).toContain('x-kept: yes');
      expect(answer).not.toMatch(/x-hop|timeout=9|proxy-authenticate|trailer/);
    });

    it('to HEAD without a body, its length kept', async () => {
      const answer = await get('/answer/head', '', 'HEAD');
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*content-length: 1234\r\n[^]*\r\n\r\n$/);
    });

    it('in HTTP/1.0, delimited by the connection alone', async () => {
      const answer = await ask('GET /answer/chunked HTTP/1.0\r\nHost: a\r\n\r\n');
      expect(answer).toMatch(/\r\n\r\nabcde$/);
      expect(answer).not.toMatch(/transfer-encoding/i);
    });

    it('to each of several requests sent at once, in their order', async () => {
      const answer = await ask(one('ok') + one('no-content') + one('chunked'), /0\r\n\r\n$/);
      expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
        '200',
        '204',
        '200',
      ]);
    });
  });

  describe('gets a problem', () => {
    it.each([
      ['two-lengths', 502],
      ['odd-status', 502],
      ['garbage', 502],
      ['switch', 502],
      ['nothing', 502],
    ])('when the upstream answers %s', async (key, status) => {
      const answer = await get(`/answer/${key}`);
      expect(statusOf(answer)).toBe(status);
      expect(answer).toMatch(/content-type: application\/problem\+json/);
      expect(answer).not.toMatch(/ECONN|127\.0\.0\.1|answer\//);
    });

    it('when the upstream is silent', async () => {
      expect(statusOf(await get('/quick/silence'))).toBe(504);
    });

    it('when nobody listens there', async () => {
      const answer = await get('/closed', 'X-Correlation-Id: find-me\r\n');
      expect(statusOf(answer)).toBe(502);
      expect(JSON.parse(answer.slice(answer.indexOf('{')))).toEqual({
        type: 'about:blank',
        title: 'Bad Gateway',
        status: 502,
        requestId: 'find-me',
      });
    });

    it('that reflects nothing', async () => {
      const answer = await get('/closed?<script>', 'X-Correlation-Id: <script>\r\n');
      expect(answer).not.toContain('script');
    });
  });

  describe('is seen to be cut off', () => {
    it.each(['truncated', 'truncated-chunks'])('when the upstream breaks off: %s', async (key) => {
      const answer = await ask(`GET /answer/${key} HTTP/1.1\r\nHost: a\r\n\r\n`);
      expect(statusOf(answer)).toBe(200);
      expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
    });

    it('in HTTP/1.0 by a reset', async () => {
      const socket = connect(gateway.port, '127.0.0.1');
      const failed = once(socket, 'error');
      socket.resume();
      socket.write('GET /answer/truncated-chunks HTTP/1.0\r\nHost: a\r\n\r\n');
      const [error] = (await failed) as [NodeJS.ErrnoException];
      expect(error.code).toBe('ECONNRESET');
    });
  });

  describe('ends with its client', () => {
    let client: Socket;
    afterEach(() => {
      client.destroy();
    });

    it('while the upstream is silent', async () => {
      client = connect(gateway.port, '127.0.0.1');
      client.write('GET /answer/silence HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually(() => expect(upstream.received).toContain('/answer/silence'));
      const open = upstream.sockets.size;
      client.destroy();
      await eventually(() => expect(upstream.sockets.size).toBe(open - 1));
    });

    it('in the middle of a body', async () => {
      client = connect(gateway.port, '127.0.0.1');
      client.write('POST /answer/ok HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
      await eventually(() => expect(upstream.received).toMatch(/half$/));
      const open = upstream.sockets.size;
      client.destroy();
      await eventually(() => expect(upstream.sockets.size).toBe(open - 1));
    });
  });
});

describe('back-pressure', () => {
  it('holds an upload while the upstream does not read, and an answer while the client does not', async () => {
    let taken: Socket | undefined;
    const upstream = new RawServer((request, socket) => {
      if (request.startsWith('GET')) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 67108864\r\n\r\n');
        let left = 1_024;
        const chunk = Buffer.alloc(65_536);
        const more = () => {
          while (left > 0 && socket.write(chunk)) left--;
        };
        socket.on('drain', more);
        more();
      } else {
        taken = socket;
        socket.pause();
      }
      return true;
    });
    const colony = new NestColony();
    const origin = await upstream.listen();
    const gateway = await colony.start('gateway', {
      gateway: {
        limits: { body: 0 },
        discovery: { enabled: false },
        routes: [{ path: '/{*all}', to: origin }],
      },
    });
    const slow = connect(gateway.port, '127.0.0.1');
    slow.pause();
    slow.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const up = connect(gateway.port, '127.0.0.1');
    up.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n');
    await eventually(() => expect(taken).toBeDefined());
    let wrote = 0;
    while (wrote < 512 && up.write(Buffer.alloc(65_536))) wrote++;
    while (wrote < 512) {
      const drained = await Promise.race([
        once(up, 'drain').then(() => true),
        pause(300).then(() => false),
      ]);
      if (!drained) break;
      while (wrote < 512 && up.write(Buffer.alloc(65_536))) wrote++;
    }
    // 32 MiB were offered; what was taken is what sockets and streams hold.
    expect(wrote).toBeLessThan(400);
    const held = [...upstream.sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0);
    expect(held).toBeLessThan(48 << 20);
    slow.destroy();
    up.destroy();
    // A connection that nobody reads hears of nothing: the upload ends with its upstream.
    await upstream.close();
    await colony.close();
  });
});

function isComplete(request: string, end: number): boolean {
  const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
  if (/transfer-encoding/i.test(request)) return request.endsWith('0\r\n\r\n');
  return request.length >= end + 4 + length;
}

import { Body, Controller, Post } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ADAPTERS, NestColony, type StartedApp } from '../support/nest-colony.js';
import { exchangeRaw, RawServer, statusOf } from '../support/raw-http.js';

@Controller()
class Local {
  @Post('local') local(@Body() body: { name: string }) {
    return `local ${body.name}`;
  }
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const ANSWERS: Readonly<Record<string, string>> = {
  ok: OK,
  trailers:
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nConnection: close\r\nContent-Length: 9\r\nX-Latin: caf\u00e9\r\n\r\n',
  hints: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style, </b.js>; rel=preload\r\nX-Other: 1\r\nSet-Cookie: a=1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </c>; rel="next"\r\n\r\n${OK}`,
  'odd-hints': `HTTP/1.1 103 Early Hints\r\nLink: nonsense\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${OK}`,
  others: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n${OK}`,
};

describe.each(ADAPTERS)('a gateway on %s', (adapter) => {
  const colony = new NestColony();
  let upstream: RawServer;
  let gateway: StartedApp;

  beforeAll(async () => {
    upstream = new RawServer((request, socket) => {
      const end = request.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
      if (end === -1 || request.length < end + 4 + length) return false;
      socket.write(ANSWERS[/^\S+ \/answer\/([\w-]+)/.exec(request)?.[1] ?? ''] ?? OK, 'latin1');
      return true;
    });
    const origin = await upstream.listen();
    gateway = await colony.start('gateway', {
      adapter,
      controllers: [Local],
      upstream: { defaults: { circuit: false, retry: false } },
      gateway: {
        discovery: { enabled: false },
        limits: { body: 100 },
        routes: [
          { path: '/answer/{*rest}', to: origin },
          { path: '/closed', to: 'http://127.0.0.1:9' },
        ],
      },
    });
  });
  beforeEach(() => upstream.forget());
  afterAll(async () => {
    await colony.close();
    await upstream.close();
  });

  const ask = (request: string, until?: RegExp) => exchangeRaw(gateway.port, request, until);
  const get = (path: string, headers = '', version = '1.1') =>
    ask(`GET ${path} HTTP/${version}\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`);
  const post = (path: string, length: number, until: RegExp) =>
    ask(
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`,
      until,
    );

  describe('passes trailers', () => {
    it('to a client that reads them, without those that mean nothing there', async () => {
      const answer = await get('/answer/trailers', 'TE: deflate;q=0.5, Trailers\r\n');
      expect(answer).toMatch(/abc\r\n0\r\nX-Sum: 7\r\nX-Latin: caf\u00e9\r\n\r\n$/);
      expect(upstream.received).toMatch(/\r\nte: trailers\r\nconnection: TE\r\n/);
      expect(upstream.received).not.toMatch(/deflate/);
    });

    it('to a client that names TE in Connection, as it should', async () => {
      const text =
        'GET /answer/trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n';
      expect(await ask(text)).toMatch(/0\r\nX-Sum: 7\r\n/);
    });

    it.each(['', 'TE: gzip\r\n', 'TE: nottrailers\r\n'])('to nobody else: %j', async (header) => {
      expect(await get('/answer/trailers', header)).toMatch(/abc\r\n0\r\n\r\n$/);
      expect(upstream.received).not.toMatch(/te:|TE/);
    });

    it('not where nothing is chunked', async () => {
      const answer = await get('/answer/trailers', 'TE: trailers\r\n', '1.0');
      expect(answer).toMatch(/\r\n\r\nabc$/);
    });
  });

  describe('passes early hints', () => {
    it('with their links, one after the other, ahead of the answer', async () => {
      expect(await get('/answer/hints')).toMatch(
        /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload; as=style, <\/b\.js>; rel=preload\r\n\r\nHTTP\/1\.1 103 Early Hints\r\nLink: <\/c>; rel="next"\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*ok$/,
      );
    });

    it.each(['odd-hints', 'others'])('and no other interim answers: %s', async (key) => {
      const answer = await get(`/answer/${key}`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*ok$/);
    });

    it('not to HTTP/1.0, which knows none', async () => {
      expect(await get('/answer/hints', '', '1.0')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    });
  });

  describe('asks for a body', () => {
    it('when it has someone to send it to, and keeps the connection', async () => {
      const wait = exchangeRaw;
      const answer = await wait(
        gateway.port,
        'POST /answer/ok HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
        /ok$/,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
      expect(answer).not.toMatch(/connection: close/i);
      expect(upstream.received).toMatch(/\r\n\r\nhello$/);
    });

    it('for Nest at once', async () => {
      expect(await post('/local', 16, /\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
      const answer = await ask(
        'POST /local HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 15\r\n\r\n{"name":"nest"}',
        /local nest$/,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
    });

    it.each([
      ['it is too large', '/answer/ok', 101, 413],
      ['its path is not sound', '/answer/%zz', 5, 400],
      ['nobody is there', '/closed', 5, 502],
    ])('not when %s, and ends the connection instead', async (_name, path, length, status) => {
      const answer = await post(path, length, /never/);
      expect(statusOf(answer)).toBe(status);
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(upstream.received).toBe('');
    });
  });
});

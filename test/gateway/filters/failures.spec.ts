import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fallback } from '../../../lib/gateway/filters/fallback.filter.js';
import { defineFilter } from '../../../lib/gateway/filters/gateway-filter.js';
import { injectFault } from '../../../lib/gateway/filters/inject-fault.filter.js';
import { mirror } from '../../../lib/gateway/filters/mirror.filter.js';
import {
  modifyRequestBody,
  modifyResponseBody,
} from '../../../lib/gateway/filters/modify-body.filter.js';
import { removeJsonFields } from '../../../lib/gateway/filters/remove-json-fields.filter.js';
import { retry } from '../../../lib/gateway/filters/retry.filter.js';
import { setResponseHeader } from '../../../lib/gateway/filters/set-response-header.filter.js';
import { eventually } from '../../support/eventually.js';
import { exchangeRaw, statusOf } from '../support/raw-http.js';
import { FilteredGateway } from './filtered-gateway.js';

const CLOSED = 'http://127.0.0.1:9';
const upper = (body: Buffer) => Buffer.from(body.toString().toUpperCase());
const broken = (run: () => void | Promise<void>) =>
  defineFilter({ name: 'Broken', read: () => ({}), create: () => run })();

let fixture: FilteredGateway;
beforeEach(() => {
  fixture = new FilteredGateway();
});
afterEach(() => fixture.close());

describe('a fallback', () => {
  it('answers in place of a service that cannot be reached, or fails', async () => {
    const failing = await fixture.upstream((_seen, response) => response.writeHead(503).end('no'));
    const filters = [
      setResponseHeader({ headers: { 'x-outer': '1' } }),
      fallback({ body: { items: [] }, headers: { 'x-fallback': '1' } }),
    ];
    const { url } = await fixture.gateway([
      { path: '/closed', to: CLOSED, filters },
      { path: '/failing', to: failing, filters },
    ]);
    for (const path of ['/closed', '/failing']) {
      const answer = await fetch(url + path);
      expect([answer.status, await answer.json()]).toEqual([200, { items: [] }]);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.headers.get('x-fallback')).toBe('1');
      expect(answer.headers.get('x-outer')).toBe('1');
    }
  });

  it('leaves answers alone that it does not stand for', async () => {
    const to = await fixture.upstream((_seen, response) => response.writeHead(500).end('mine'));
    const { url } = await fixture.gateway([{ path: '/a', to, filters: [fallback({ body: '' })] }]);
    const answer = await fetch(`${url}/a`);
    expect([answer.status, await answer.text()]).toEqual([500, 'mine']);
  });

  it('leads to another route, whose filters run as well', async () => {
    const to = await fixture.upstream();
    const { url } = await fixture.gateway([
      { path: '/a', to: CLOSED, filters: [fallback({ route: 'cache' })] },
      { id: 'cache', path: '/cache', to, filters: [{ PrefixPath: { prefix: '/cached' } }] },
    ]);
    expect(await (await fetch(`${url}/a?x=1`)).json()).toMatchObject({ url: '/cached/a?x=1' });
    // A body that went to the first cannot go to the second.
    expect((await fetch(`${url}/a`, { method: 'POST', body: 'x' })).status).toBe(502);
  });

  it('does not go round in circles', async () => {
    const { url } = await fixture.gateway([
      { id: 'a', path: '/a', to: CLOSED, filters: [fallback({ route: 'b' })] },
      { id: 'b', path: '/b', to: CLOSED, filters: [fallback({ route: 'a' })] },
    ]);
    expect((await fetch(`${url}/a`)).status).toBe(502);
  });
});

describe('a retry', () => {
  it('sends a request again until it succeeds, its body included', async () => {
    const to = await fixture.upstream(({ body }, response) =>
      response.writeHead(fixture.seen.length < 3 ? 503 : 200).end(body),
    );
    const filters = [retry({ attempts: 2, methods: ['PUT'], body: 100, delay: '1ms' })];
    const { url } = await fixture.gateway([{ path: '/a', to, filters }]);
    const answer = await fetch(`${url}/a`, { method: 'PUT', body: 'body' });
    expect([answer.status, await answer.text()]).toEqual([200, 'body']);
    expect(fixture.seen.map(({ body }) => body)).toEqual(['body', 'body', 'body']);
  });

  it('gives the last answer when none succeeds', async () => {
    const to = await fixture.upstream((_seen, response) => response.writeHead(503).end('no'));
    const { url } = await fixture.gateway([{ path: '/a', to, filters: [retry()] }]);
    const answer = await fetch(`${url}/a`);
    expect([answer.status, await answer.text(), fixture.seen.length]).toEqual([503, 'no', 3]);
  });

  it('never sends a POST again unasked', async () => {
    const to = await fixture.upstream((_seen, response) => response.writeHead(503).end());
    const { url } = await fixture.gateway([{ path: '/a', to, filters: [retry()] }]);
    expect((await fetch(`${url}/a`, { method: 'POST' })).status).toBe(503);
    expect(fixture.seen).toHaveLength(1);
  });

  it('does not bury a failing service', async () => {
    const to = await fixture.upstream((_seen, response) => response.writeHead(503).end());
    const filters = [retry({ attempts: 9, budget: 0 })];
    const { url } = await fixture.gateway([{ path: '/a', to, filters }]);
    for (let count = 0; count < 10; count++) await fetch(`${url}/a`);
    expect(fixture.seen).toHaveLength(20);
  });

  it('stands behind a fallback', async () => {
    const to = await fixture.upstream((_seen, response) => response.writeHead(503).end());
    const filters = [fallback({ body: 'calm' }), retry({ attempts: 1 })];
    const { url } = await fixture.gateway([{ path: '/a', to, filters }]);
    expect(await (await fetch(`${url}/a`)).text()).toBe('calm');
    expect(fixture.seen).toHaveLength(2);
  });

  it('is given up with its client', async () => {
    const to = await fixture.upstream((_seen, response) => response.writeHead(503).end());
    const filters = [retry({ attempts: 1, delay: '100ms' })];
    const { port, url } = await fixture.gateway([
      { path: '/a', to, filters },
      { path: '/b', to, filters },
    ]);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => expect(fixture.seen).toHaveLength(1));
    socket.destroy();
    await once(socket, 'close');
    // A retry of the first would be due before that of the second, which this waits for.
    await fetch(`${url}/b`);
    expect(fixture.seen.map((seen) => seen.url)).toEqual(['/a', '/b', '/b']);
  });
});

describe('a fault', () => {
  it('fails and delays requests', async () => {
    const to = await fixture.upstream();
    const { url } = await fixture.gateway([
      { path: '/fail', to, filters: [injectFault({ status: 418 })] },
      { path: '/slow', to, filters: [injectFault({ delay: '30ms' })] },
      { path: '/never', to, filters: [injectFault({ status: 418, aborted: 0 })] },
    ]);
    expect((await fetch(`${url}/fail`)).status).toBe(418);
    expect((await fetch(`${url}/never`)).status).toBe(200);
    const from = performance.now();
    expect((await fetch(`${url}/slow`)).status).toBe(200);
    expect(performance.now() - from).toBeGreaterThanOrEqual(29);
  });

  it('is refused in production', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      const start = fixture.gateway([{ path: '/a', to: CLOSED, filters: [injectFault()] }]);
      await expect(start).rejects.toThrow(/Take InjectFault away in production/);
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });
});

describe('a mirror', () => {
  it('copies requests with small bodies, and nobody hears the copy', async () => {
    const to = await fixture.upstream((_seen, response) => response.end('real'));
    const copies = new FilteredGateway();
    const copy = await copies.upstream((_seen, response) => response.writeHead(500).end('copy'));
    const { url } = await fixture.gateway([
      { path: '/{*rest}', to, filters: ['StripPrefix', mirror({ to: copy, body: 4 })] },
    ]);
    const post = (body: string) => fetch(`${url}/x/a?b=1`, { method: 'POST', body });
    expect(await (await post('1234')).text()).toBe('real');
    expect(await (await post('12345')).text()).toBe('real');
    expect(await (await fetch(`${url}/x/get`)).text()).toBe('real');
    await eventually(() => expect(copies.seen).toHaveLength(2));
    expect(copies.seen.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['POST', '/a?b=1', '1234'],
      ['GET', '/get', ''],
    ]);
    expect(fixture.seen.map(({ body }) => body)).toEqual(['1234', '12345', '']);
    await copies.close();
  });
});

describe('a body transform', () => {
  it('takes fields out of JSON, wherever they stand, compressed or not', async () => {
    const document = { id: 1, password: 'x', list: [{ password: 'y', a: { b: 1, c: 2 } }] };
    const to = await fixture.upstream(({ url }, response) => {
      const text = JSON.stringify(document);
      response.setHeader('content-type', 'application/json').setHeader('etag', '"1"');
      if (url === '/gzip') response.setHeader('content-encoding', 'gzip').end(gzipSync(text));
      else response.end(text);
    });
    const filters = [removeJsonFields({ fields: ['password', 'list.a.b'] })];
    const { url } = await fixture.gateway([{ path: '/{*rest}', to, filters }]);
    for (const path of ['/plain', '/gzip']) {
      const answer = await fetch(url + path);
      expect(await answer.json()).toEqual({ id: 1, list: [{ a: { c: 2 } }] });
      expect(answer.headers.get('etag')).toBe('W/"1"');
    }
    expect(fixture.seen[0]?.headers['accept-encoding']).toBe('identity');
    const head = await fetch(`${url}/plain`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, null]);
  });

  it('fails rather than let through what it cannot read', async () => {
    const to = await fixture.upstream(({ url }, response) => {
      response.setHeader('content-type', 'application/problem+json; charset=utf-8');
      if (url === '/large') response.end(JSON.stringify('x'.repeat(200)));
      else if (url === '/odd') response.setHeader('content-encoding', 'odd').end('{}');
      else response.end('{"password": 1');
    });
    const filters = [removeJsonFields({ fields: 'password', max: 100 })];
    const { url } = await fixture.gateway([{ path: '/{*rest}', to, filters }]);
    for (const path of ['/large', '/odd', '/broken'])
      expect((await fetch(url + path)).status).toBe(502);
  });

  it('leaves other types alone', async () => {
    const to = await fixture.upstream((_seen, response) => response.end('password'));
    const filters = [removeJsonFields({ fields: 'password', max: 1 })];
    const { url } = await fixture.gateway([{ path: '/a', to, filters }]);
    expect(await (await fetch(`${url}/a`)).text()).toBe('password');
  });

  it('makes other bodies of requests and answers', async () => {
    const to = await fixture.upstream(({ body, headers }, response) =>
      response.end(`${body} ${String(headers['content-length'])}`),
    );
    const filters = [
      modifyRequestBody({ transform: (body) => Buffer.from(`${body.toString()}b`), max: 10 }),
      modifyResponseBody({ transform: async (body) => upper(body) }),
    ];
    const { url, port } = await fixture.gateway([{ path: '/a', to, filters }]);
    const post = (body: string) => fetch(`${url}/a`, { method: 'POST', body });
    expect(await (await post('a')).text()).toBe('AB 2');
    expect((await post('x'.repeat(11))).status).toBe(413);
    const chunked =
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nq\r\n0\r\n\r\n';
    expect(await exchangeRaw(port, chunked, 'QB 2')).toMatch(/QB 2$/);
  });
});

describe('a filter that goes wrong', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['forgets its request', () => {}],
    ['forgets it later', () => Promise.resolve()],
  ])('answers 500 when it %s, and tells nothing', async (_name, run) => {
    const { url } = await fixture.gateway([{ path: '/a', to: CLOSED, filters: [broken(run)] }]);
    const answer = await fetch(`${url}/a`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('secret');
  });

  it('cannot write a request that is another one', async () => {
    const to = await fixture.upstream();
    const evil = defineFilter({
      name: 'Evil',
      read: () => ({}),
      create: () => (exchange, next) => {
        const what = exchange.query.get('what');
        if (what === 'path') exchange.path = '/a HTTP/1.1\r\nx: y';
        else if (what === 'host') exchange.host = 'a\r\nx: y';
        else if (what === 'header') exchange.headers.set('x-a', 'b\r\nx: y');
        else exchange.headers.rename('x-a', 'transfer-encoding');
        return next(exchange);
      },
    });
    const { url } = await fixture.gateway([{ path: '/a', to, filters: [evil()] }]);
    for (const what of ['path', 'host', 'header', 'name'])
      expect((await fetch(`${url}/a?what=${what}`)).status).toBe(500);
    expect(fixture.seen).toEqual([]);
  });

  it('hears of the end, also of a client that left', async () => {
    const to = await fixture.upstream((_seen, response) => void response);
    const ends: number[] = [];
    const watch = defineFilter({
      name: 'Watch',
      read: () => ({}),
      create: () => (exchange, next) => {
        exchange.onFinished((_exchange, status) => ends.push(status));
        return next(exchange);
      },
    });
    const { port } = await fixture.gateway([
      { path: '/hang', to, filters: [watch()] },
      { path: '/closed', to: CLOSED, filters: [watch()] },
    ]);
    expect(statusOf(await exchangeRaw(port, 'GET /closed HTTP/1.1\r\nHost: a\r\n\r\n', '}'))).toBe(
      502,
    );
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /hang HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => expect(fixture.seen).toHaveLength(1));
    socket.destroy();
    await eventually(() => expect(ends).toEqual([502, 499]));
  });
});

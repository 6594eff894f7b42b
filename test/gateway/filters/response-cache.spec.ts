import { request as httpRequest, type Server } from 'node:http';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defineFilter } from '../../../lib/gateway/filters/gateway-filter.js';
import { removeJsonFields } from '../../../lib/gateway/filters/remove-json-fields.filter.js';
import { responseCache } from '../../../lib/gateway/filters/response-cache.filter.js';
import { ResponseStore } from '../../../lib/gateway/response-cache/response-store.js';
import { setRequestHeader } from '../../../lib/gateway/filters/set-request-header.filter.js';
import { setResponseHeader } from '../../../lib/gateway/filters/set-response-header.filter.js';
import { eventually } from '../../support/eventually.js';
import type { StartedApp } from '../support/nest-colony.js';
import { type Answering, FilteredGateway } from './filtered-gateway.js';

interface Got {
  readonly status: number;
  readonly body: string;
  readonly cache: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

type Sent = Readonly<Record<string, string>>;

/** Not by `fetch`, which has a cache mode and sends headers of its own. */
function ask(url: string, headers: Sent = {}, method = 'GET', body?: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          cache: String(response.headers['cache-status'] ?? ''),
          headers: response.headers,
        }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** How many clients a gateway has. */
function connectionsOf({ app }: StartedApp): Promise<number> {
  const server = app.getHttpServer() as Server;
  return promisify((done: (error: Error | null, count: number) => void) =>
    server.getConnections(done),
  )();
}

let fixture: FilteredGateway;
beforeEach(() => {
  fixture = new FilteredGateway();
});
afterEach(() => fixture.close());

type Options = Parameters<typeof responseCache>[0];

/** A gateway with a cache before an upstream; the answers carry their number. */
async function cached(headers: Sent | Answering, options: Options = {}, path = '/{*rest}') {
  let count = 0;
  const to = await fixture.upstream((seen, response) => {
    count++;
    if (typeof headers === 'function') return headers(seen, response);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    return response.end(`answer ${count}`);
  });
  const started = await fixture.gateway([{ path, to, filters: [responseCache(options)] }]);
  return { url: started.url, started, to, seen: fixture.seen };
}

describe('a response cache', () => {
  it('answers from memory what the upstream says may be kept', async () => {
    const { url, seen } = await cached({ 'cache-control': 'max-age=60', 'x-a': '1' });
    const first = await ask(`${url}/a?x=1`);
    const second = await ask(`${url}/a?x=1`);
    expect(first).toMatchObject({ body: 'answer 1', cache: 'rookery; fwd=uri-miss; stored' });
    expect(second.cache).toMatch(/^rookery; hit; ttl=(59|60)$/);
    expect(second).toMatchObject({ status: 200, body: 'answer 1' });
    expect(second.headers).toMatchObject({ 'x-a': '1', age: '0', 'content-length': '8' });
    expect(seen).toHaveLength(1);
  });

  it('answers HEAD from what was kept of GET, and does not keep the answer to HEAD', async () => {
    const { url, seen } = await cached({ 'cache-control': 'max-age=60' });
    expect((await ask(`${url}/a`, {}, 'HEAD')).cache).toBe('rookery; fwd=uri-miss');
    await ask(`${url}/a`);
    const head = await ask(`${url}/a`, {}, 'HEAD');
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe('8');
    expect(head.cache).toMatch(/hit/);
    expect(seen).toHaveLength(2);
  });

  it.each<[string, Sent, Sent]>([
    ['nothing about it', {}, {}],
    ['no-store', { 'cache-control': 'no-store, max-age=60' }, {}],
    ['No-Store', { 'cache-control': 'Max-Age=60, No-Store' }, {}],
    ['private', { 'cache-control': 'private, max-age=60' }, {}],
    ['a private field', { 'cache-control': 'private="x-user", max-age=60' }, {}],
    ['a cookie', { 'cache-control': 'public, max-age=60', 'set-cookie': 'a=1' }, {}],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: 'accept, *' }, {}],
    ['max-age=0', { 'cache-control': 'max-age=0' }, {}],
    ['a max-age that is no number', { 'cache-control': 'max-age=soon' }, {}],
    ['Expires: 0', { expires: '0' }, {}],
    ['only when it was changed', { 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }, {}],
    [
      'max-age to Authorization',
      { 'cache-control': 'max-age=60' },
      { authorization: 'Basic eDp5' },
    ],
    ['max-age to no-store', { 'cache-control': 'max-age=60' }, { 'cache-control': 'no-store' }],
    ['max-age to a range', { 'cache-control': 'max-age=60' }, { range: 'bytes=0-3' }],
    ['a part', { 'cache-control': 'max-age=60', 'content-range': 'bytes 0-3/9' }, {}],
  ])('keeps nothing of an answer that says %s', async (_what, headers, sent) => {
    const { url, started, seen } = await cached(headers);
    for (const number of [1, 2, 3]) {
      const got = await ask(`${url}/a`, sent);
      expect(got.body).toBe(`answer ${number}`);
      expect(got.cache).toMatch(/^rookery; fwd=[a-z-]+$/);
    }
    expect(seen).toHaveLength(3);
    expect(started.app.get(ResponseStore).figures).toEqual({ responses: 0, bytes: 0 });
  });

  it('gives what Authorization was sent for to others only where it is public', async () => {
    const { url, seen } = await cached((got, response) =>
      response
        .setHeader('cache-control', got.url === '/public' ? 'public, max-age=60' : 'max-age=60')
        .end(String(got.headers['authorization'])),
    );
    expect((await ask(`${url}/public`, { authorization: 'a' })).body).toBe('a');
    expect((await ask(`${url}/public`, { authorization: 'b' })).body).toBe('a');
    expect((await ask(`${url}/own`)).body).toBe('undefined');
    expect((await ask(`${url}/own`, { authorization: 'b' })).body).toBe('b');
    expect((await ask(`${url}/own`)).body).toBe('undefined');
    // What was kept for strangers is not given to someone known either.
    expect((await ask(`${url}/own`, { authorization: 'b' })).body).toBe('b');
    expect(seen).toHaveLength(4);
  });

  it('keeps answers side by side that vary', async () => {
    const { url, seen } = await cached((got, response) =>
      response
        .setHeader('cache-control', 'max-age=60')
        .setHeader('vary', 'Accept-Language, X-Tenant')
        .end([got.headers['accept-language'], got.headers['x-tenant']].join(' ')),
    );
    const de = { 'accept-language': 'de', 'x-tenant': 'a' };
    const en = { 'accept-language': 'en', 'x-tenant': 'a' };
    expect((await ask(url, de)).body).toBe('de a');
    expect((await ask(url, en)).cache).toBe('rookery; fwd=vary-miss; stored');
    expect((await ask(url, { ...de, 'x-tenant': 'b' })).body).toBe('de b');
    for (const [sent, body] of [
      [de, 'de a'],
      [en, 'en a'],
    ] as const)
      expect(await ask(url, sent)).toMatchObject({ body, cache: expect.stringContaining('hit') });
    expect(seen).toHaveLength(3);
  });

  it('tells hosts, paths, queries and upstreams apart that look alike when written behind one another', async () => {
    const { url, seen } = await cached({ 'cache-control': 'max-age=60' });
    const texts = ['/a', '/a?a', '/a?b', '/a%3Fb', '/A', '/a/'];
    const bodies = await Promise.all(texts.map(async (text) => (await ask(url + text)).body));
    expect(new Set(bodies).size).toBe(texts.length);
    await ask(`${url}/a`, { host: 'one.example' });
    await ask(`${url}/a`, { host: 'two.example' });
    expect(seen).toHaveLength(texts.length + 2);
    // Canonically the same.
    expect((await ask(`${url}/x/%2e%2e/a`)).cache).toMatch(/hit/);
  });
});

describe('validators', () => {
  it('answer a client that has the answer with 304, from memory', async () => {
    const { url, seen } = await cached({
      'cache-control': 'max-age=60',
      etag: '"v1"',
      'content-type': 'text/plain',
      'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
    });
    // Also with the first request, whose answer is kept as a whole.
    const first = await ask(`${url}/a`, { 'if-none-match': 'W/"v1", "other"' });
    expect(first).toMatchObject({ status: 304, body: '' });
    await eventually(async () => expect((await ask(`${url}/a`)).cache).toMatch(/hit/));
    expect((await ask(`${url}/a`)).body).toBe('answer 1');
    const again = await ask(`${url}/a`, { 'if-none-match': '"v1"' });
    expect(again).toMatchObject({ status: 304, body: '' });
    expect(again.headers).toMatchObject({ etag: '"v1"', 'cache-control': 'max-age=60' });
    expect(again.headers['content-type']).toBeUndefined();
    expect((await ask(`${url}/a`, { 'if-none-match': '"v2"' })).status).toBe(200);
    const since = (date: string) => ask(`${url}/a`, { 'if-modified-since': date });
    expect((await since('Mon, 01 Jan 2024 00:00:00 GMT')).status).toBe(304);
    expect((await since('Sun, 31 Dec 2023 00:00:00 GMT')).status).toBe(200);
    expect((await since('whenever')).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  it('are sent upstream when the answer is stale, and 304 makes it fresh again', async () => {
    const { url, seen } = await cached((got, response) => {
      if (got.headers['if-none-match'] === '"v1"')
        return response
          .writeHead(304, { etag: '"v1"', 'cache-control': 'max-age=60', 'x-new': 'yes' })
          .end();
      return response
        .writeHead(200, { etag: '"v1"', 'cache-control': 'max-age=60', age: '61', 'x-new': 'no' })
        .end('whole');
    });
    await ask(`${url}/a`);
    const revalidated = await ask(`${url}/a`);
    expect(revalidated).toMatchObject({
      status: 200,
      body: 'whole',
      cache: 'rookery; fwd=stale; fwd-status=304; stored',
    });
    expect(revalidated.headers['x-new']).toBe('yes');
    expect((await ask(`${url}/a`)).cache).toMatch(/hit/);
    expect(seen).toHaveLength(2);
  });

  it('replace what has changed, and what another one is said of is fetched as a whole', async () => {
    let version = 1;
    const { url, seen } = await cached((got, response) => {
      const etag = `"v${version}"`;
      const headers = { etag, 'cache-control': 'max-age=60', age: '61' };
      // A server that says "not modified" of something else.
      if (version === 3 && got.headers['if-none-match'] !== undefined)
        return response.writeHead(304, headers).end();
      return response.writeHead(200, headers).end(`version ${version}`);
    });
    await ask(`${url}/a`);
    version = 2;
    expect((await ask(`${url}/a`)).body).toBe('version 2');
    version = 3;
    expect((await ask(`${url}/a`)).body).toBe('version 3');
    expect(seen.map(({ headers }) => headers['if-none-match'])).toEqual([
      undefined,
      '"v1"',
      '"v2"',
      undefined,
    ]);
  });

  it('make clients with no-cache see what is new', async () => {
    const { url, seen } = await cached({ 'cache-control': 'max-age=60' });
    await ask(`${url}/a`);
    expect((await ask(`${url}/a`, { 'cache-control': 'no-cache' })).body).toBe('answer 2');
    expect((await ask(`${url}/a`, { pragma: 'no-cache' })).body).toBe('answer 3');
    expect((await ask(`${url}/a`, { 'cache-control': 'max-age=0' })).cache).toMatch(
      /hit|fwd=stale/,
    );
    expect((await ask(`${url}/b`, { 'cache-control': 'only-if-cached' })).status).toBe(504);
    expect(seen.length).toBeGreaterThanOrEqual(3);
  });

  it('are not heeded where clients may not ask past the cache', async () => {
    const { url, seen } = await cached({ 'cache-control': 'max-age=60' }, { clientControl: false });
    await ask(`${url}/a`);
    expect((await ask(`${url}/a`, { 'cache-control': 'no-cache, no-store' })).body).toBe(
      'answer 1',
    );
    expect(seen).toHaveLength(1);
  });
});

describe('a stale answer', () => {
  it('is given at once while a new one is fetched, through the filters behind the cache', async () => {
    let count = 0;
    const to = await fixture.upstream((_seen, response) => {
      count++;
      const age = count === 1 ? '61' : '0';
      return response
        .writeHead(200, { age, 'cache-control': 'max-age=60, stale-while-revalidate=600' })
        .end(`answer ${count}`);
    });
    const filters = [
      responseCache(),
      setRequestHeader({ headers: { 'x-inner': 'yes' } }),
      setResponseHeader({ headers: { 'x-made': 'inside' } }),
    ];
    const { url } = await fixture.gateway([{ path: '/a', to, filters }]);
    await ask(`${url}/a`);
    const stale = await ask(`${url}/a`);
    expect(stale.body).toBe('answer 1');
    expect(stale.cache).toMatch(/^rookery; hit; ttl=-/);
    await eventually(async () => expect((await ask(`${url}/a`)).body).toBe('answer 2'));
    const fresh = await ask(`${url}/a`);
    expect(fresh.headers['x-made']).toBe('inside');
    expect(fixture.seen.map(({ headers }) => headers['x-inner'])).toEqual(['yes', 'yes']);
  });

  it('is given in place of an error, for as long as is allowed', async () => {
    let isBroken = false;
    const { url } = await cached((got, response) => {
      if (isBroken && got.url === '/cut') return response.destroy();
      const strict = got.url === '/strict' ? ', must-revalidate' : '';
      if (isBroken) return response.writeHead(503).end('broken');
      return response
        .writeHead(200, {
          age: '61',
          etag: '"a"',
          'cache-control': `max-age=60, stale-if-error=600${strict}`,
        })
        .end('good');
    });
    for (const path of ['/a', '/cut', '/strict']) await ask(url + path);
    isBroken = true;
    expect(await ask(`${url}/a`)).toMatchObject({
      status: 200,
      body: 'good',
      cache: expect.stringContaining('fwd-status=503'),
    });
    expect(await ask(`${url}/cut`)).toMatchObject({ status: 200, body: 'good' });
    expect((await ask(`${url}/strict`)).status).toBe(503);
    expect((await ask(`${url}/unknown`)).status).toBe(503);
  });
});

describe('requests for the same', () => {
  it('are one request upstream', async () => {
    const ends: (() => void)[] = [];
    const to = await fixture.upstream((_got, response) => {
      response.setHeader('cache-control', 'max-age=60');
      ends.push(() => response.end('once'));
    });
    let arrived = 0;
    // A connection may be there long before its request: who came late is a hit, and did not wait.
    const counting = defineFilter({
      name: 'Counting',
      read: () => ({}),
      create: () => (exchange, next) => {
        arrived++;
        return next(exchange);
      },
    });
    const filters = [counting(), responseCache()];
    const { url } = await fixture.gateway([{ path: '/{*rest}', to, filters }]);
    const { seen } = fixture;
    const all = Array.from({ length: 50 }, () => ask(`${url}/a`));
    await eventually(() => expect([arrived, ends.length]).toEqual([50, 1]));
    ends[0]?.();
    const got = await Promise.all(all);
    expect(got.map(({ body }) => body)).toEqual(Array.from({ length: 50 }, () => 'once'));
    expect(got.filter(({ cache }) => cache.includes('collapsed'))).toHaveLength(49);
    expect(seen).toHaveLength(1);
  });

  it('go each for itself when the answer cannot be kept', async () => {
    const { url, seen } = await cached({ 'cache-control': 'private' });
    const got = await Promise.all(Array.from({ length: 10 }, () => ask(`${url}/a`)));
    expect(new Set(got.map(({ body }) => body)).size).toBe(10);
    expect(seen).toHaveLength(10);
  });

  it('are taken over by another when the first client leaves', async () => {
    const ends: (() => void)[] = [];
    const { url, started, seen } = await cached((_got, response) => {
      response.setHeader('cache-control', 'max-age=60');
      ends.push(() => response.end('here'));
    });
    const first = connect(started.port, '127.0.0.1').on('error', () => {});
    first.write('GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => expect(seen).toHaveLength(1));
    const second = ask(`${url}/a`, { host: 'x' });
    await eventually(async () => expect(await connectionsOf(started)).toBe(2));
    first.destroy();
    await eventually(() => expect(seen).toHaveLength(2));
    ends[1]?.();
    expect((await second).body).toBe('here');
  });
});

describe('memory', () => {
  it('is bounded by bytes and by answers; the ones not asked for the longest go first', async () => {
    const to = await fixture.upstream((_seen, response) =>
      response.setHeader('cache-control', 'max-age=60').end('x'.repeat(1_000)),
    );
    const { url, app } = await fixture.gateway(
      [{ path: '/{*rest}', to, filters: [responseCache()] }],
      {
        responseCache: { bytes: 20_000, responses: 5 },
      },
    );
    const store = app.get(ResponseStore);
    for (let at = 0; at < 20; at++) {
      await ask(`${url}/${at}`);
      if (at > 0) expect((await ask(`${url}/0`)).cache).toMatch(/hit/);
    }
    expect(store.figures.responses).toBe(5);
    expect(store.figures.bytes).toBeLessThan(20_000);
    expect((await ask(`${url}/1`)).cache).toMatch(/uri-miss/);
    store.clear();
    expect(store.figures).toEqual({ responses: 0, bytes: 0 });
    expect((await ask(`${url}/0`)).cache).toMatch(/uri-miss/);
  });

  it('takes no body that is too large, known before or not, and the client gets it whole', async () => {
    const { url, started } = await cached(
      (got, response) => {
        response.setHeader('cache-control', 'max-age=60');
        if (got.url === '/known') return response.end('y'.repeat(3_000));
        response.write('y'.repeat(1_500));
        return response.end('y'.repeat(1_500));
      },
      { body: 2_000 },
    );
    for (const path of ['/known', '/unknown', '/known', '/unknown'])
      expect((await ask(url + path)).body).toHaveLength(3_000);
    expect(started.app.get(ResponseStore).figures).toEqual({ responses: 0, bytes: 0 });
    expect(fixture.seen).toHaveLength(4);
  });

  it('does not keep an answer that was cut off', async () => {
    let isWhole = false;
    const { url } = await cached((_got, response) => {
      response.setHeader('cache-control', 'max-age=60').setHeader('content-length', 10);
      if (isWhole) return response.end('0123456789');
      response.write('01234');
      return setImmediate(() => response.destroy());
    });
    await expect(ask(`${url}/a`)).rejects.toThrow();
    isWhole = true;
    expect((await ask(`${url}/a`)).body).toBe('0123456789');
  });
});

describe('other filters and methods', () => {
  it('that change something make its address be fetched anew', async () => {
    const { url, seen } = await cached({ 'cache-control': 'max-age=60' });
    await ask(`${url}/a`);
    await ask(`${url}/a`, { 'content-length': '1' }, 'POST', 'x');
    expect((await ask(`${url}/a`)).body).toBe('answer 3');
    await ask(`${url}/a`, {}, 'OPTIONS');
    expect((await ask(`${url}/a`)).body).toBe('answer 3');
    expect(seen).toHaveLength(4);
  });

  it('stand before the cache and see every request, or behind it and see what goes upstream', async () => {
    const count = { before: 0, behind: 0 };
    const counting = (where: keyof typeof count) =>
      defineFilter({
        name: 'Counting',
        read: () => ({}),
        create: () => (exchange, next) => {
          count[where]++;
          exchange.onResponse(({ response }) => response?.headers.add('x-seen', where));
          return next(exchange);
        },
      })();
    const to = await fixture.upstream((_seen, response) =>
      response.setHeader('cache-control', 'max-age=60').end('{"a":1,"secret":2}'),
    );
    const json = removeJsonFields({ fields: ['secret'] });
    const { url } = await fixture.gateway([
      { path: '/a', to, filters: [counting('before'), responseCache(), counting('behind'), json] },
    ]);
    const first = await ask(`${url}/a`);
    const second = await ask(`${url}/a`);
    expect(first.headers['x-seen']).toBe('behind, before');
    expect(second.headers['x-seen']).toBe('behind, before');
    expect(second.body).toBe(first.body);
    expect(count).toEqual({ before: 2, behind: 1 });
  });

  it('keeps what says nothing for as long as the route says, but nothing personal', async () => {
    const { url, seen } = await cached({}, { ttl: '1m', status: false });
    await ask(`${url}/a`, { cookie: 'session=1' });
    await ask(`${url}/a`);
    const hit = await ask(`${url}/a`);
    expect(hit).toMatchObject({ body: 'answer 2', cache: '' });
    expect(seen).toHaveLength(2);
  });

  it('can be written by name', async () => {
    const to = await fixture.upstream((_seen, response) => response.end('named'));
    const { url } = await fixture.gateway([
      { path: '/a', to, filters: [{ ResponseCache: { ttl: '1m' } }] },
    ]);
    await ask(`${url}/a`);
    expect((await ask(`${url}/a`)).cache).toMatch(/hit/);
  });
});

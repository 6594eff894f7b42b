import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { filters } from '../../../lib/gateway/filters/built-in.js';
import type { FilterSpec } from '../../../lib/gateway/filters/gateway-filter.js';
import { FilteredGateway, type Seen } from './filtered-gateway.js';
import type { StartedApp } from '../support/nest-colony.js';

/** Filters on a route, a request, and what the upstream is asked. */
const REQUESTS: readonly (readonly [
  name: string,
  filters: readonly FilterSpec[],
  request: string,
  asked: (seen: Seen) => unknown,
  expected: unknown,
])[] = [
  ['drops a segment', ['StripPrefix'], '/a/b?c=%20d', ({ url }) => url, '/b?c=%20d'],
  ['drops several segments', [{ StripPrefix: { parts: 2 } }], '/a/b/c', ({ url }) => url, '/c'],
  ['drops all there are', [{ StripPrefix: { parts: 9 } }], '/a/b', ({ url }) => url, '/'],
  ['puts a prefix before', [{ PrefixPath: { prefix: '/v2' } }], '/a', ({ url }) => url, '/v2/a'],
  [
    'runs in the order written',
    ['StripPrefix', { PrefixPath: { prefix: '/v2' } }],
    '/a/b',
    ({ url }) => url,
    '/v2/b',
  ],
  ['sets the path', [{ SetPath: { path: '/x/{*rest}' } }], '/a/b', ({ url }) => url, '/x/a/b'],
  [
    'rewrites the path by an expression',
    [{ RewritePath: { pattern: '^/red/(?<rest>.*)', replacement: '/$<rest>' } }],
    '/red/a?x=1',
    ({ url }) => url,
    '/a?x=1',
  ],
  [
    'adds request headers',
    [{ AddRequestHeader: { headers: { 'x-a': '2' } } }],
    '/',
    ({ headers }) => headers['x-a'],
    '1, 2',
  ],
  [
    'sets request headers',
    [{ SetRequestHeader: { headers: { 'X-A': '2' } } }],
    '/',
    ({ headers }) => headers['x-a'],
    '2',
  ],
  [
    'removes request headers',
    [{ RemoveRequestHeader: { names: 'X-A' } }],
    '/',
    ({ headers }) => headers['x-a'],
    undefined,
  ],
  [
    'renames request headers',
    [{ RenameRequestHeader: { names: { 'x-a': 'x-b' } } }],
    '/',
    ({ headers }) => [headers['x-a'], headers['x-b']],
    [undefined, '1'],
  ],
  [
    'adds parameters and keeps the bytes of the others',
    [{ AddRequestParameter: { parameters: { b: 'ä&' } } }],
    '/?a=%20+&&a',
    ({ url }) => url,
    '/?a=%20+&&a&b=%C3%A4%26',
  ],
  [
    'sets parameters',
    [{ SetRequestParameter: { parameters: { a: '3' } } }],
    '/?a=1&b&a=2',
    ({ url }) => url,
    '/?a=3&b',
  ],
  [
    'removes parameters, however they are written',
    [{ RemoveRequestParameter: { names: ['a'] } }],
    '/?a=1&%61=2&b=3',
    ({ url }) => url,
    '/?b=3',
  ],
  [
    'renames parameters',
    [{ RenameRequestParameter: { names: { a: 'b' } } }],
    '/?a=1',
    ({ url }) => url,
    '/?b=1',
  ],
  [
    'sets the host',
    [{ SetHost: { host: 'a.test' } }],
    '/',
    ({ headers }) => headers['host'],
    'a.test',
  ],
];

describe('a filter of requests', () => {
  const fixture = new FilteredGateway();
  let gateway: StartedApp;

  beforeAll(async () => {
    const to = await fixture.upstream();
    gateway = await fixture.gateway(
      REQUESTS.map(([id, filters], index) => ({
        id,
        to,
        filters,
        // One route each, told apart by a header that the upstream may see.
        path: '/{*rest}',
        predicates: [{ Header: { name: 'x-case', value: String(index) } }],
      })),
    );
  });
  afterAll(() => fixture.close());

  it.each(
    REQUESTS.map(
      ([name, filters, request, asked, expected], index) =>
        [name, filters, request, asked, expected, index] as const,
    ),
  )('%s', async (_name, _filters, request, asked, expected, index) => {
    const headers = { 'x-case': String(index), 'x-a': '1' };
    const seen = (await (await fetch(gateway.url + request, { headers })).json()) as Seen;
    expect(asked(seen)).toEqual(expected);
  });
});

describe('a filter of answers', () => {
  const fixture = new FilteredGateway();
  let gateway: StartedApp;
  let port: string;

  const routes: readonly (readonly [string, readonly FilterSpec[]])[] = [
    ['add', [{ AddResponseHeader: { headers: { 'x-up': '2' } } }]],
    ['set', [{ SetResponseHeader: { headers: { 'x-up': '2' } } }]],
    ['remove', [{ RemoveResponseHeader: { names: 'x-up' } }]],
    ['rename', [{ RenameResponseHeader: { names: { 'x-up': 'x-new' } } }]],
    ['status', [{ SetStatus: { status: 410 } }]],
    ['dedupe', [{ DedupeResponseHeader: { names: 'x-twice' } }]],
    ['dedupe-last', [{ DedupeResponseHeader: { names: ['x-twice'], keep: 'last' } }]],
    ['secure', ['SecureHeaders']],
    ['secure-own', [{ SecureHeaders: { omit: 'x-frame-options', set: { 'x-more': '1' } } }]],
    ['location', [{ RewriteLocation: { strip: '/own', prefix: '/api' } }]],
    ['redirect', [{ RedirectTo: { url: '/new', status: 308, query: true } }]],
    ['size', [{ RequestSize: { max: 5 } }]],
    ['heads', [{ RequestHeaderSize: { max: 50 } }]],
    [
      'order',
      [
        { SetResponseHeader: { headers: { 'x-up': 'outer' } } },
        { SetResponseHeader: { headers: { 'x-up': 'inner' } } },
      ],
    ],
  ];

  beforeAll(async () => {
    const to = await fixture.upstream(({ url }, response) => {
      const location = new URL(url, 'http://x').searchParams.get('location') ?? '';
      response.setHeader('x-up', '1').setHeader('x-twice', ['a', 'b']);
      response.setHeader('x-content-type-options', 'own');
      if (location !== '') response.setHeader('location', location.replace('UPSTREAM', port));
      response.end('answer');
    });
    port = new URL(to).host;
    const closed = 'http://127.0.0.1:9';
    gateway = await fixture.gateway([
      ...routes.map(([name, filters]) => ({ path: `/${name}`, to, filters })),
      { path: '/away', to: closed, filters: ['SecureHeaders'] },
    ]);
  });
  afterAll(() => fixture.close());

  const get = (path: string, init: RequestInit = {}) =>
    fetch(gateway.url + path, { redirect: 'manual', ...init });
  const up = async (path: string) => (await get(path)).headers.get('x-up');

  it('adds, sets and removes headers', async () => {
    expect([await up('/add'), await up('/set'), await up('/remove')]).toEqual(['1, 2', '2', null]);
  });

  it('renames headers', async () => {
    const { headers } = await get('/rename');
    expect([headers.get('x-up'), headers.get('x-new')]).toEqual([null, '1']);
  });

  it('gives the first filter the last word', async () => {
    expect(await up('/order')).toBe('outer');
  });

  it('sets the status and keeps the body', async () => {
    const answer = await get('/status');
    expect([answer.status, await answer.text()]).toEqual([410, 'answer']);
  });

  it('leaves one of headers that came twice', async () => {
    expect((await get('/dedupe')).headers.get('x-twice')).toBe('a');
    expect((await get('/dedupe-last')).headers.get('x-twice')).toBe('b');
  });

  it('asks browsers for caution, where the service has not said something itself', async () => {
    const { headers } = await get('/secure');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('own');
    const own = (await get('/secure-own')).headers;
    expect([own.get('x-frame-options'), own.get('x-more')]).toEqual([null, '1']);
  });

  it('is heard on problems of the gateway as well', async () => {
    const answer = await get('/away');
    expect([answer.status, answer.headers.get('x-frame-options')]).toEqual([502, 'DENY']);
    expect(await answer.json()).toMatchObject({ status: 502, title: 'Bad Gateway' });
  });

  it.each([
    ['http://UPSTREAM/own/7?a=1', '/api/7?a=1'],
    ['/own', '/api'],
    ['/own?a', '/api?a'],
    ['/owner', '/api/owner'],
    ['https://other.test/own/7', 'https://other.test/own/7'],
    ['//other.test/own', '//other.test/own'],
    ['relative', 'relative'],
  ])('makes the location %s public as %s', async (location, expected) => {
    const answer = await get(`/location?location=${encodeURIComponent(location)}`);
    expect(answer.headers.get('location')).toBe(expected);
  });

  it('redirects without asking the upstream', async () => {
    const before = fixture.seen.length;
    const answer = await get('/redirect?a=%20');
    expect([answer.status, answer.headers.get('location')]).toEqual([308, '/new?a=%20']);
    expect(fixture.seen).toHaveLength(before);
  });

  it('limits bodies, declared or not', async () => {
    const streamed = new Blob(['123456']).stream();
    const init = { method: 'POST', body: streamed, duplex: 'half' } as RequestInit;
    expect((await get('/size', { method: 'POST', body: '12345' })).status).toBe(200);
    expect((await get('/size', { method: 'POST', body: '123456' })).status).toBe(413);
    expect((await get('/size', init)).status).toBe(413);
  });

  it('limits headers', async () => {
    expect((await get('/heads')).status).toBe(200);
    expect((await get('/heads', { headers: { 'x-a': 'b'.repeat(50) } })).status).toBe(431);
  });
});

describe('filters as they are written', () => {
  it('have names that differ', () => {
    const names = filters.map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(20);
  });

  it.each<[FilterSpec, RegExp]>([
    ['StripPrefx', /filters\[0\] names the filter 'StripPrefx', which is not known\. Known: /],
    [{ StripPrefix: { parts: 0 } }, /filters\[0\]\.StripPrefix\.parts is 0\. Keep it between/],
    [{ StripPrefix: { part: 1 } }, /StripPrefix\.part is not an option\. Did you mean "parts"/],
    [{ StripPrefix: {}, PrefixPath: {} }, /does not name one filter/],
    [{ PrefixPath: {} }, /PrefixPath\.prefix is missing\. Write a text\./],
    [
      { SetRequestHeader: { headers: { 'content-length': '1' } } },
      /which the gateway writes itself/,
    ],
    [{ SetRequestHeader: { headers: { 'x-a': 'a\r\nb: c' } } }, /is no header value/],
    [{ RewritePath: { pattern: '(', replacement: '' } }, /no regular expression/],
    [{ SetPath: { path: '/:missing' } }, /lacks parameters/],
    [{ RedirectTo: { url: '//evil.test' } }, /RedirectTo\.url is/],
    [{ SetStatus: { status: 304 } }, /which has no body/],
  ])('stop the start when they are wrong: %j', async (filter, message) => {
    const fixture = new FilteredGateway();
    const routes = [{ path: '/a/{*rest}', to: 'http://127.0.0.1:9', filters: [filter] }];
    await expect(fixture.gateway(routes)).rejects.toThrow(message);
    await fixture.close();
  });
});

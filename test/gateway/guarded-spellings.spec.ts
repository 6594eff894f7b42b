import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { array, assert, asyncProperty, constantFrom, integer, tuple } from 'fast-check';
import { FilteredGateway } from './filters/filtered-gateway.js';
import { ADAPTERS, type StartedApp } from './support/nest-colony.js';
import { exchangeRaw, statusOf } from './support/raw-http.js';

const WEBSOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** Spellings of `/api/private/x`, or of what some server would take for it; the advisories that taught them are many. */
const SPELLINGS = [
  '/api/private',
  '/api/private/',
  '/api/private/x',
  '/api/private?x',
  '/api/private/x?/../open',
  // Dots, plain and encoded, and above the root.
  '/api/./private/x',
  '/./api/private/x',
  '/api/open/../private/x',
  '/api/open/x/../../private/x',
  '/../api/private/x',
  '/api/%2e/private/x',
  '/api/open/%2e%2e/private/x',
  '/api/open/%2E./private/x',
  '/api/open/.%2e/private/x',
  '/open/..;/api/private/x',
  '/api/open/..;x/private/x',
  '/api/open/..;x=1;y/private/x',
  '/api/open/%2e%2e;x/private/x',
  '/api/.;/private/x',
  // Slashes, too many or in disguise.
  '//api/private/x',
  '/api//private/x',
  '///api///private///x',
  '/api%2fprivate/x',
  '/api%2Fprivate/x',
  '/api/private%2fx',
  '/api\\private\\x',
  '/api/private\\x',
  '/api%5cprivate/x',
  '/api%5Cprivate/x',
  '/api/open/..\\private/x',
  '/api/open/..%5cprivate/x',
  '/api/open/..%2fprivate/x',
  '/api/open%2f..%2fprivate/x',
  // Parameters behind semicolons.
  '/api/private;a/x',
  '/api/private;a=b;c=d/x',
  '/api;a/private/x',
  '/;a/api/private/x',
  '/api/private;/x',
  '/api/private;x',
  // Letters in disguise, once and twice.
  '/%61pi/private/x',
  '/api/%70rivate/x',
  '/api/p%72ivat%65/x',
  '/%61%70%69/%70%72%69%76%61%74%65/x',
  '/api/private%00/x',
  '/api/private%0a/x',
  '/api/private%0d%0ax',
  '/api/private%/x',
  '/api/private%zz/x',
  // What stands around a path.
  '/api/private#x',
  '/api/private/x#/../../open',
  '/open#/../api/private/x',
  'http://a/api/private/x',
  'http://a//api/private/x',
  'http://a/api/open/../private/x',
  'HTTP://a/api/private/x',
  'http://b/api/private/x',
  'http://a@b/api/private/x',
  'api/private/x',
  '*',
] as const;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** A word, some of whose letters are encoded, once or twice. */
function spelled(word: string) {
  const { length } = word;
  return array(integer({ min: 0, max: 5 }), { minLength: length, maxLength: length }).map(
    (choices) =>
      choices
        .map((choice, at) => {
          const hex = word.charCodeAt(at).toString(16);
          return [`%${hex}`, `%25${hex}`][choice] ?? word.charAt(at);
        })
        .join(''),
  );
}

/** The path as the most lenient of servers might read it, in every order of steps. */
function readings(target: string): readonly string[] {
  const path = target.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/[?#].*$/, '');
  const found = new Set([path]);
  const steps = [
    (text: string) =>
      text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      ),
    (text: string) => text.replaceAll('\\', '/'),
    (text: string) => text.replaceAll(/;[^/]*/g, ''),
    (text: string) => text.replaceAll(/\/{2,}/g, '/'),
    (text: string) =>
      new URL(text.replace(/^\/+/, '/').replaceAll(' ', '%20'), 'http://a').pathname,
  ];
  for (let round = 0; round < 4; round++)
    for (const text of Array.from(found)) for (const step of steps) found.add(step(text));
  return [...found];
}

const isPrivate = (target: string) =>
  readings(target).some((path) => /^\/*api\/+private(?:[/;?#\\]|$)/i.test(path));

describe.each(ADAPTERS)('a guard on /api/private/**, on %s', (adapter) => {
  const fixture = new FilteredGateway();
  let gateway: StartedApp;

  beforeAll(async () => {
    const to = await fixture.upstream();
    const never = { canActivate: () => false };
    gateway = await fixture.gateway(
      [
        { path: '/{*rest}', to, order: 1 },
        { path: '/api/private/{*rest}', to, guards: [never] },
      ],
      {},
      { adapter },
    );
  });
  beforeEach(() => {
    fixture.seen.length = 0;
  });
  afterAll(() => fixture.close());

  const send = (method: string, target: string, lines = 'Connection: close\r\n') =>
    exchangeRaw(gateway.port, `${method} ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);

  it.each(SPELLINGS)('holds against %s, by every method', async (target) => {
    const answers = await Promise.all(METHODS.map((method) => send(method, target)));
    // An answer below 400 would be somebody else's; none is no answer of the upstream's either.
    for (const answer of answers) expect([400, 403, 404, 421]).toContain(statusOf(answer));
    expect(fixture.seen).toEqual([]);
  });

  it.each(SPELLINGS)('holds against %s as a WebSocket', async (target) => {
    expect([400, 403, 404, 421]).toContain(statusOf(await send('GET', target, WEBSOCKET)));
    expect(fixture.seen).toEqual([]);
  });

  it('lets pass what only looks like it', async () => {
    for (const target of [
      '/api/privately',
      '/api/open/private',
      '/apis/private',
      '/api/xprivate/x',
    ])
      expect(statusOf(await send('GET', target))).toBe(200);
    expect(fixture.seen).toHaveLength(4);
  });

  it('holds against whatever is put together by chance', async () => {
    const between = constantFrom(
      '/',
      '//',
      '/./',
      '/x/../',
      '/%2e/',
      '/x/%2e%2e/',
      ';a/',
      '/x/..;b/',
      '\\',
      '%2f',
      '%5c',
      '/%00/',
      '/;/',
    );
    const end = constantFrom('', '/', '/x', ';a', '?x', '#x', '%20', '.', '/..', '%2e%2e');
    const target = tuple(between, spelled('api'), between, spelled('private'), end).map((parts) =>
      parts.join(''),
    );
    const property = asyncProperty(target, constantFrom(...METHODS), async (path, method) => {
      await send(method, path.startsWith('/') ? path : `/${path}`);
      // What has come to the upstream could not be read as private by it, but where a sign was encoded twice: that a
      // server must not decode again (RFC 3986, 2.4).
      const reached = fixture.seen.filter(({ url }) => !url.includes('%25')).map(({ url }) => url);
      expect(reached.filter(isPrivate)).toEqual([]);
      fixture.seen.length = 0;
    });
    await assert(property, { numRuns: 300 });
  });
});

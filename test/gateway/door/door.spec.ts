import { Controller, Get, Headers, HttpException, Injectable, Res } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AccessPolicy, type AccessRequest } from '../../../lib/gateway/door/access-policy.js';
import { forwardAuth } from '../../../lib/gateway/door/forward-auth.authenticator.js';
import { fallback } from '../../../lib/gateway/filters/fallback.filter.js';
import { responseCache } from '../../../lib/gateway/filters/response-cache.filter.js';
import type { GatewaySecurityOptions } from '../../../lib/gateway/door/security.options.js';
import { Authenticator } from '../../../lib/security/authenticator.js';
import { apiKeys, hashApiKey } from '../../../lib/security/authenticators/api-key.authenticator.js';
import type { Credentials } from '../../../lib/security/credentials.js';
import { InvalidCredentialsError } from '../../../lib/security/security.errors.js';
import { eventually } from '../../support/eventually.js';
import { ADAPTERS } from '../support/nest-colony.js';
import { GuardedGateway } from './guarded-gateway.js';

const READER = 'the-long-and-random-key-of-a-reader';
const WRITER = 'the-long-and-random-key-of-a-writer';
const keys = apiKeys({
  keys: [
    { id: 'reader', hash: hashApiKey(READER), scopes: ['orders:read'], roles: ['clerk'] },
    {
      id: 'writer',
      hash: hashApiKey(WRITER),
      scopes: ['orders:read', 'orders:write'],
      tenant: 'acme',
    },
  ],
});
/** What becomes of a request with a key and a device. */
async function statusOf(path: string, key: string, device = 'a'): Promise<number> {
  return (await gateway.ask(path, { headers: { 'x-api-key': key, 'x-device': device } })).status;
}

/** What becomes of a request with an authorization. */
function shown(authorization: string) {
  return gateway.ask('/api/x?secret', { headers: { authorization } });
}

/** A preflight of a page. */
function preflight(origin: string, method = 'PUT') {
  const headers = { origin, 'access-control-request-method': method };
  return gateway.ask('/api/x', { method: 'OPTIONS', headers });
}

/** A request whose client wrote a line that its proxy added another one to. */
function forwarded(address: string): string {
  const chain = `x-forwarded-for: 8.8.8.8\r\nX-Forwarded-For: ${address}\r\n`;
  return `GET /api/x HTTP/1.1\r\nhost: a\r\n${chain}connection: close\r\n\r\n`;
}

/** Not a promise of Node's, and yet one that can be waited for. */
class Query {
  // oxlint-disable-next-line unicorn/no-thenable -- database libraries give such
  then(done: (value: null) => void): void {
    done(null);
  }
}

const named = (name: string) => ({ headers: { 'x-name': name } });
const as = (key: string) => ({ headers: { 'x-api-key': key } });

/** Knows people by their word, a moment later; for tests only. */
@Injectable()
class SlowAuthenticator extends Authenticator {
  override readonly name = 'slow';
  override readonly challenge = 'Slow';

  override async authenticate(credentials: Credentials) {
    const name = credentials.header('x-name');
    if (name === undefined) return undefined;
    await new Promise((resolve) => setImmediate(resolve));
    if (name === 'eve') throw new InvalidCredentialsError('Eve is not let in.');
    if (name === 'bug') throw new TypeError('a mistake');
    return { subject: name, issuer: 'slow', scopes: [], roles: [], claims: { plan: name } };
  }
}

interface Settable {
  setHeader(name: string, value: string): unknown;
}

let gateway: GuardedGateway;
afterEach(() => gateway.stop());

describe.each(ADAPTERS)('the door of a route on %s', (adapter) => {
  const start = (...args: Parameters<GuardedGateway['start']>) => {
    gateway = new GuardedGateway(adapter);
    return gateway.start(...args);
  };

  it('lets nobody in who is not known, and says how one would be', async () => {
    await start({ authenticators: [SlowAuthenticator, keys] });
    const { status, headers, text } = await gateway.ask('/api/x');
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Slow');
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      'type',
      'title',
      'status',
      'requestId',
    ]);
    expect(gateway.arrived).toHaveLength(0);
  });

  it('lets in who is known, at once or after a while, and takes the credentials away', async () => {
    await start({ authenticators: [SlowAuthenticator, keys] });
    expect((await gateway.ask('/api/x', as(READER))).status).toBe(200);
    expect((await gateway.ask('/api/x', named('ada'))).status).toBe(200);
    expect(gateway.arrived[0]?.headers).not.toHaveProperty('x-api-key');
  });

  it('refuses bad credentials where no credentials would be refused too, and does not try the next kind', async () => {
    await start({ authenticators: [SlowAuthenticator, keys] });
    const { status, headers } = await gateway.ask('/api/x', {
      headers: { 'x-name': 'eve', 'x-api-key': READER },
    });
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Slow error="invalid_token"');
  });

  it('answers 500 and says nothing when an authenticator is broken', async () => {
    await start({ authenticators: [SlowAuthenticator] });
    const { status, text } = await gateway.ask('/api/x', named('bug'));
    expect(status).toBe(500);
    expect(text).not.toContain('mistake');
    expect(gateway.arrived).toHaveLength(0);
  });

  it('keeps scopes, roles and claims of a route', async () => {
    await start({ authenticators: [keys, SlowAuthenticator] }, [
      { path: '/api/read', auth: { scopes: ['orders:read'] } },
      { path: '/api/write', auth: { scopes: ['orders:read', 'orders:write'] } },
      { path: '/api/clerk', auth: { roles: ['boss', 'clerk'] } },
      { path: '/api/gold', auth: { claims: { plan: ['gold', 'platinum'] } } },
      { path: '/api/both', auth: [{ scopes: ['orders:write'] }, { roles: ['clerk'] }] },
      { path: '/api/open', public: true },
    ]);
    const statuses = async (path: string) => [
      (await gateway.ask(path)).status,
      (await gateway.ask(path, as(READER))).status,
      (await gateway.ask(path, as(WRITER))).status,
      (await gateway.ask(path, named('gold'))).status,
    ];
    expect(await statuses('/api/read')).toEqual([401, 200, 200, 403]);
    expect(await statuses('/api/write')).toEqual([401, 403, 200, 403]);
    expect(await statuses('/api/clerk')).toEqual([401, 200, 403, 403]);
    expect(await statuses('/api/gold')).toEqual([401, 403, 403, 200]);
    expect(await statuses('/api/both')).toEqual([401, 403, 403, 403]);
    expect(await statuses('/api/open')).toEqual([200, 200, 200, 200]);
    const { headers } = await gateway.ask('/api/write', as(READER));
    expect(headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", scope="orders:read orders:write"',
    );
  });

  it('asks policies of the user, and takes whatever is not true for no', async () => {
    const asked: AccessRequest[] = [];
    class Only extends AccessPolicy {
      override allows(request: AccessRequest) {
        asked.push(request);
        if (request.principal.subject === 'mad') throw new Error('a mistake');
        return Promise.resolve(request.principal.subject === 'ada');
      }
    }
    await start({ authenticators: [SlowAuthenticator], policies: [Only] });
    expect((await gateway.ask('/api/x?y', named('ada'))).status).toBe(200);
    expect((await gateway.ask('/api/x?y', named('bob'))).status).toBe(403);
    expect((await gateway.ask('/api/x?y', named('mad'))).status).toBe(403);
    expect(asked[0]).toMatchObject({ method: 'GET', path: '/api/x', address: '127.0.0.1' });
  });

  it('takes away what a client says of itself, in every spelling, and the header of identities always', async () => {
    await start({ authenticators: [keys], identityHeaders: ['X-Company-User'] });
    const seen = await gateway.seen({
      'x-api-key': READER,
      'X-User-Id': 'root',
      x_user_id: 'root',
      'X_USER-ID': 'root',
      'x-forwarded-user': 'root',
      'X-Rookery-Identity': 'root',
      x_rookery_identity: 'root',
      'x-company-user': 'root',
      'remote-user': 'root',
      'x-harmless': 'kept',
    });
    expect(Object.values(seen)).not.toContain('root');
    expect(seen).toMatchObject({ 'x-harmless': 'kept' });
  });

  it('tells the service who it is, also where Connection names that header, or a client has written it', async () => {
    const secret = 'a secret of more than thirty-two bytes';
    await start({ authenticators: [keys], identity: { secret } });
    const head = `GET /api/x HTTP/1.1\r\nhost: a\r\nx-api-key: ${READER}\r\nx-rookery-identity: root\r\n`;
    const connection = 'connection: close, x-rookery-identity, X-Forwarded-For\r\n\r\n';
    expect(await gateway.raw(head + connection)).toBe(200);
    const { headers } = gateway.arrived[0] as { headers: Record<string, string> };
    expect(headers['x-rookery-identity']?.split('.')).toHaveLength(3);
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
  });

  it('keeps no answer to somebody for somebody else, whatever carried their credentials', async () => {
    await start({ authenticators: [keys, SlowAuthenticator] }, [
      { path: '/api/mine', filters: [responseCache({ ttl: '1m' })] },
    ]);
    expect((await gateway.ask('/api/mine', as(READER))).status).toBe(200);
    expect((await gateway.ask('/api/mine', named('ada'))).status).toBe(200);
    expect(gateway.arrived).toHaveLength(2);
  });

  it('asks the door of the route that another falls back to, and leaves its own', async () => {
    const secret = 'a secret of more than thirty-two bytes';
    const guarded = { id: 'guarded', path: '/api/guarded', auth: { roles: ['clerk'] } };
    const dead = { path: '/api/open', to: 'http://127.0.0.1:1', public: true };
    await start({ authenticators: [keys], identity: { secret }, concurrency: 2 }, [
      guarded,
      { ...dead, filters: [fallback({ route: 'guarded' })] },
    ]);
    for (let at = 0; at < 4; at++) {
      expect((await gateway.ask('/api/open')).status).toBe(401);
      expect((await gateway.ask('/api/open', as(WRITER))).status).toBe(403);
      expect((await gateway.ask('/api/open', as(READER))).status).toBe(200);
    }
    const [first] = gateway.arrived as unknown as { headers: Record<string, string> }[];
    expect(first?.headers['x-rookery-identity']?.split('.')).toHaveLength(3);
  });

  it('lets nobody in whom an authenticator does not name, whatever it gives instead', async () => {
    const gives: unknown[] = [null, false, {}, { subject: '' }, Promise.resolve(null), new Query()];
    let given: unknown;
    class Careless extends Authenticator {
      override readonly name = 'careless';
      override authenticate() {
        return given as undefined;
      }
    }
    await start({ authenticators: [new Careless()] });
    const statuses = [];
    for (given of gives) statuses.push((await gateway.ask('/api/x')).status);
    expect(statuses).toEqual([401, 401, 500, 500, 401, 401]);
    expect(gateway.arrived).toHaveLength(0);
  });

  it('believes the line that a proxy added, and not the one that its client wrote before it', async () => {
    await start({ addresses: { deny: ['9.9.9.9'] } }, [{}], { trustedProxies: ['127.0.0.0/8'] });
    expect(await gateway.raw(forwarded('9.9.9.9'))).toBe(403);
    expect(await gateway.raw(forwarded('::ffff:9.9.9.9'))).toBe(403);
    expect(await gateway.raw(forwarded('8.8.4.4'))).toBe(200);
  });

  it('refuses policies where nobody can be known', async () => {
    class Never extends AccessPolicy {
      override allows() {
        return false;
      }
    }
    await expect(start({ policies: [Never] })).rejects.toThrow(
      'gateway.security.policies stand without authenticators. Name who is known first.',
    );
  });

  it('answers a target that is too long with 414', async () => {
    await start({}, [{}], { limits: { url: 100 } });
    expect((await gateway.ask(`/api/${'x'.repeat(90)}`)).status).toBe(200);
    expect((await gateway.ask(`/api/${'x'.repeat(100)}`)).status).toBe(414);
  });

  it('takes the header of identities from clients also where it knows nobody', async () => {
    await start({});
    const seen = await gateway.seen({
      'X-Rookery-Identity': 'root',
      x_rookery_identity: 'root',
      'x-user-id': 'ada',
    });
    expect(Object.values(seen)).not.toContain('root');
    expect(seen).toMatchObject({ 'x-user-id': 'ada' });
  });

  it('relays credentials only where that is wanted', async () => {
    await start({ authenticators: [keys], relayCredentials: true });
    expect(await gateway.seen({ 'x-api-key': READER })).toMatchObject({ 'x-api-key': READER });
  });

  it('counts requests of an address, tells how many are left, and says when to come again', async () => {
    await start({ rateLimits: [{ limit: 2, per: '1m' }] });
    const left = [];
    for (let at = 0; at < 3; at++) {
      const { status, headers } = await gateway.ask('/api/x');
      left.push([status, headers.get('ratelimit-remaining')]);
      expect(headers.get('ratelimit-policy')).toBe('"default";q=2;w=60');
    }
    expect(left).toEqual([
      [200, '1'],
      [200, '0'],
      [429, '0'],
    ]);
    expect(Number((await gateway.ask('/api/x')).headers.get('retry-after'))).toBe(30);
    expect(gateway.arrived).toHaveLength(2);
  });

  it('counts by subject, header and route, each where it was asked to', async () => {
    const once = { limit: 1, per: '1m' } as const;
    await start({ authenticators: [keys] }, [
      { path: '/api/subject', rateLimits: [{ ...once, by: 'subject' }] },
      { path: '/api/header', rateLimits: [{ ...once, by: 'header:x-device' }] },
      { path: '/api/route', rateLimits: [{ ...once, by: 'route' }] },
    ]);
    expect([
      await statusOf('/api/subject', READER),
      await statusOf('/api/subject', WRITER),
      await statusOf('/api/subject', READER),
    ]).toEqual([200, 200, 429]);
    expect([
      await statusOf('/api/header', READER),
      await statusOf('/api/header', READER, 'b'),
      await statusOf('/api/header', WRITER),
    ]).toEqual([200, 200, 429]);
    expect([await statusOf('/api/route', READER), await statusOf('/api/route', WRITER)]).toEqual([
      200, 429,
    ]);
  });

  it('keeps an address out that shows bad credentials too often, good ones too, and nobody is asked for it', async () => {
    await start({ authenticators: [keys], failures: { limit: 3, per: '1m', ban: '1m' } });
    const statuses = [];
    for (let at = 0; at < 5; at++)
      statuses.push((await gateway.ask('/api/x', as('wrong-key'))).status);
    expect(statuses).toEqual([401, 401, 401, 401, 429]);
    expect((await gateway.ask('/api/x', as(READER))).status).toBe(429);
  });

  it('lets only so many requests of an address be under way', async () => {
    await start({ authenticators: [SlowAuthenticator], concurrency: 2 });
    const all = await Promise.all(
      Array.from({ length: 6 }, () => gateway.ask('/api/x', named('ada'))),
    );
    const statuses = all.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(2);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    expect((await gateway.ask('/api/x', named('ada'))).status).toBe(200);
  });

  it('lets in by address', async () => {
    await start({ addresses: { deny: ['127.0.0.0/8'] } });
    expect((await gateway.ask('/api/x')).status).toBe(403);
  });

  it('asks the hook about address and headers', async () => {
    await start({ addresses: { hook: ({ header }) => header('x-country') === 'CH' } });
    expect((await gateway.ask('/api/x')).status).toBe(403);
    expect((await gateway.ask('/api/x', { headers: { 'x-country': 'CH' } })).status).toBe(200);
  });

  it.each([
    [['10.0.0.0/8'], '203.0.113.9', 403],
    [['127.0.0.0/8'], '203.0.113.9', 200],
    [['127.0.0.0/8'], '198.51.100.1, 203.0.113.9', 200],
    [['127.0.0.0/8'], '203.0.113.9, 198.51.100.1', 403],
    [1, '198.51.100.1, 203.0.113.9', 200],
    [1, '203.0.113.9, 198.51.100.1', 403],
    [2, '203.0.113.9, 198.51.100.1', 200],
    [['127.0.0.0/8'], 'nonsense', 403],
  ])(
    'behind the proxies %j believes of the chain "%s" only its trusted end',
    async (trustedProxies, chain, status) => {
      const security: GatewaySecurityOptions = { addresses: { allow: ['203.0.113.9'] } };
      await start(security, [{}], { trustedProxies });
      expect((await gateway.ask('/api/x', { headers: { 'x-forwarded-for': chain } })).status).toBe(
        status,
      );
    },
  );

  describe('for browsers', () => {
    const cors = {
      origins: ['https://shop.example'],
      headers: ['x-tag'],
      exposed: ['etag'],
      credentials: true,
    };
    it('answers preflights itself, before it asks who someone is', async () => {
      await start({ authenticators: [keys], cors }, [{ method: ['GET', 'PUT'] }]);
      const { status, headers } = await preflight('https://shop.example');
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe('https://shop.example');
      expect(headers.get('access-control-allow-methods')).toContain('PUT');
      expect(headers.get('access-control-allow-headers')).toBe('x-tag');
      expect(headers.get('access-control-allow-credentials')).toBe('true');
      expect(headers.get('vary')).toContain('Origin');
      expect(gateway.arrived).toHaveLength(0);
    });

    it('names no origin that is not allowed', async () => {
      await start({ cors });
      for (const origin of [
        'https://evil.example',
        'null',
        'https://shop.example.evil.example',
        'http://shop.example',
      ])
        expect((await preflight(origin)).headers.has('access-control-allow-origin')).toBe(false);
    });

    it('says its own word in place of the service, once, also on refusals', async () => {
      await start({ authenticators: [keys], cors });
      const origin = 'https://shop.example';
      const good = await gateway.ask('/api/x', { headers: { origin, 'x-api-key': READER } });
      expect(good.headers.get('access-control-allow-origin')).toBe(origin);
      expect(good.headers.get('access-control-expose-headers')).toBe('etag');
      const refused = await gateway.ask('/api/x', { headers: { origin } });
      expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([
        401,
        origin,
      ]);
    });

    it('leaves preflights to the service where it says nothing of them', async () => {
      await start({ rateLimits: [{ limit: 100, per: '1m' }] });
      expect((await preflight('https://shop.example')).status).toBe(200);
      expect(gateway.arrived).toHaveLength(1);
    });

    it.each([
      ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
      ['a sister site', { 'sec-fetch-site': 'same-site' }, 403],
      ['the same origin', { 'sec-fetch-site': 'same-origin' }, 200],
      ['the address bar', { 'sec-fetch-site': 'none' }, 200],
      ['an older browser on another site', { origin: 'https://evil.example' }, 403],
      ['a page without an origin', { origin: 'null' }, 403],
      [
        'an origin that may',
        { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
        200,
      ],
      ['no browser', {}, 200],
    ])('with csrf: a POST with cookies from %s', async (_name, headers, status) => {
      await start({ csrf: { origins: ['https://app.example'] } });
      const init = { method: 'POST', headers: { cookie: 'session=1', ...headers } };
      expect((await gateway.ask('/api/x', init)).status).toBe(status);
      expect(
        (await gateway.ask('/api/x', { headers: { cookie: 'session=1', ...headers } })).status,
      ).toBe(200);
    });
  });

  it.each([
    '/api/private/x',
    '/api//private/x',
    '/api/./private/x',
    '/api/a/../private/x',
    '/api/%70rivate/x',
    '/api/private;a=b/x',
    '/api/%2e/private/x',
    '/api/a/%2e%2e/private/x',
    '/api/private/x?public=1',
    '/api/a/..;x/private/x',
  ])('guards %s over HTTP and for WebSockets, whoever else is public', async (path) => {
    await start({ authenticators: [keys] }, [
      { path: '/api/{*rest}', public: true },
      { path: '/api/private/{*rest}' },
    ]);
    const refused = [400, 401];
    const head = 'host: gateway\r\n';
    for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PURGE'])
      expect(refused).toContain(
        await gateway.raw(
          `${method} ${path} HTTP/1.1\r\n${head}content-length: 0\r\nconnection: close\r\n\r\n`,
        ),
      );
    expect(refused).toContain(
      await gateway.raw(`GET http://gateway${path} HTTP/1.1\r\n${head}connection: close\r\n\r\n`),
    );
    const upgrade = `${head}connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    expect(refused).toContain(await gateway.raw(`GET ${path} HTTP/1.1\r\n${upgrade}`));
    for (const name of ['x-http-method-override', 'x-original-url', 'x-rewrite-url'])
      expect(refused).toContain(
        await gateway.raw(
          `GET ${path} HTTP/1.1\r\n${head}${name}: /api/open\r\nconnection: close\r\n\r\n`,
        ),
      );
    expect(gateway.arrived).toHaveLength(0);
  });
});

describe('forwardAuth', () => {
  const asked: unknown[] = [];

  @Controller('verify')
  class VerifyController {
    @Get()
    verify(
      @Headers() headers: Record<string, string>,
      @Res({ passthrough: true }) response: Settable,
    ) {
      const { authorization = '' } = headers;
      asked.push([authorization, headers['x-forwarded-uri'], headers['x-forwarded-method']]);
      if (authorization === 'good') {
        response.setHeader('x-auth-subject', 'ada');
        response.setHeader('x-auth-scopes', 'a b');
      }
      if (/^\d+$/.test(authorization)) {
        response.setHeader('www-authenticate', 'Custom');
        throw new HttpException('no', Number(authorization));
      }
    }
  }

  it('asks a service of ours, tells it what is asked for, and passes its refusals on', async () => {
    gateway = new GuardedGateway('express');
    await gateway.colony.start('auth', { controllers: [VerifyController] });
    await gateway.start({ authenticators: [forwardAuth({ to: 'auth', path: '/verify' })] }, [
      { auth: { scopes: ['a'] } },
    ]);
    await eventually(async () => expect((await shown('good')).status).toBe(200));
    expect(asked.at(-1)).toEqual(['good', '/api/x', 'GET']);
    const refused = await shown('401');
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Custom']);
    expect((await shown('403')).status).toBe(403);
    expect((await shown('500')).status).toBe(503);
    expect((await shown('nameless')).status).toBe(503);
    const before = asked.length;
    expect((await gateway.ask('/api/x')).status).toBe(401);
    expect(asked).toHaveLength(before);
  });
});

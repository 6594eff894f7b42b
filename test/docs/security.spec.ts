import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { GatewayRoute } from '../../lib/discovery/manifest/gateway-route.decorator.js';
import { AccessPolicy, type AccessRequest } from '../../lib/gateway/door/access-policy.js';
import { forwardAuth } from '../../lib/gateway/door/forward-auth.authenticator.js';
import type { GatewaySecurityOptions } from '../../lib/gateway/door/security.options.js';
import { validateRequest } from '../../lib/gateway/filters/validate-request.filter.js';
import type { GatewayOptions } from '../../lib/gateway/gateway.options.js';
import { Authenticator } from '../../lib/security/authenticator.js';
import { apiKeys, hashApiKey } from '../../lib/security/authenticators/api-key.authenticator.js';
import { clientCertificate } from '../../lib/security/authenticators/client-certificate.authenticator.js';
import { introspection } from '../../lib/security/authenticators/introspection.authenticator.js';
import { jwt } from '../../lib/security/authenticators/jwt.authenticator.js';
import { ClientCredentials } from '../../lib/security/client-credentials.js';
import type { Credentials } from '../../lib/security/credentials.js';
import { GatewayIdentityGuard } from '../../lib/security/identity/gateway-identity.guard.js';
import { CurrentPrincipal } from '../../lib/security/identity/principal.decorator.js';
import type { Principal } from '../../lib/security/principal.js';
import { memoryRateLimits } from '../../lib/security/rate-limits/memory-rate-limits.js';
import { redisRateLimits } from '../../lib/security/rate-limits/redis-rate-limits.js';
import { InvalidCredentialsError } from '../../lib/security/security.errors.js';
import { SecurityModule } from '../../lib/security/security.module.js';
import { eventually } from '../support/eventually.js';
import { GuardedGateway } from '../gateway/door/guarded-gateway.js';
import {
  IdentityProvider,
  providerKey,
  sign,
} from '../security/authenticators/identity-provider.js';
import { regionsOf, snippetsOf } from './regions.js';

const KEY = 'a-long-and-random-key-of-a-partner';
let gateway: GuardedGateway | undefined;
let server: Server | undefined;

afterEach(async () => {
  await gateway?.stop();
  server?.closeAllConnections();
  server?.close();
  gateway = server = undefined;
});

async function start(
  security: GatewaySecurityOptions,
  route: Partial<NonNullable<GatewayOptions['routes']>[number]> = {},
  more: GatewayOptions = {},
) {
  gateway = new GuardedGateway('express');
  await gateway.start(security, [route], more);
  return async (headers: Record<string, string> = {}, init: RequestInit = {}) =>
    (await gateway?.ask('/api/x', { headers, ...init }))?.status;
}

/** A server that answers every request with JSON. */
async function answering(json: unknown): Promise<string> {
  server = createServer((_request, response) => response.end(JSON.stringify(json)));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('docs/security.md', () => {
  it('shows what is compiled and run here, to the letter, and nothing else', () => {
    const regions = [...regionsOf('security.spec.ts').values()];
    const snippets = snippetsOf('security.md');
    expect(snippets.length).toBeGreaterThan(10);
    expect(snippets.filter((snippet) => !regions.includes(snippet))).toEqual([]);
    expect(regions.filter((region) => !snippets.includes(region))).toEqual([]);
  });

  it('jwt', async () => {
    const provider = await IdentityProvider.start();
    const key = await providerKey('k');
    provider.keys = [key.jwk];
    const ISSUER = provider.origin;
    // docs: jwt
    const security: GatewaySecurityOptions = {
      authenticators: [jwt({ issuer: ISSUER, audience: 'shop' })],
    };
    // end
    const ask = await start(security);
    const claims = { iss: ISSUER, aud: 'shop', sub: 'ada', exp: Date.now() / 1_000 + 60 };
    expect(await ask()).toBe(401);
    expect(await ask({ authorization: `Bearer ${await sign(key, { claims })}` })).toBe(200);
    expect(
      await ask({
        authorization: `Bearer ${await sign(key, { claims: { ...claims, aud: 'x' } })}`,
      }),
    ).toBe(401);
    await provider.stop();
  });

  it('API keys', async () => {
    // docs: API keys
    const partner = { id: 'partner', hash: hashApiKey(KEY), scopes: ['orders:read'] };
    const security: GatewaySecurityOptions = {
      authenticators: [apiKeys({ keys: [partner] })],
    };
    // end
    const ask = await start(security);
    expect(await ask({ 'x-api-key': KEY })).toBe(200);
    expect(await ask({ 'x-api-key': `${KEY}!` })).toBe(401);
  });

  it('client certificates', async () => {
    // docs: client certificates
    const security: GatewaySecurityOptions = {
      authenticators: [clientCertificate({ subject: 'uri', allow: ['spiffe://shop/orders'] })],
    };
    // end
    expect(await (await start(security))()).toBe(401);
  });

  it('opaque tokens', async () => {
    const IDP = await answering({ active: true, sub: 'ada' });
    const SECRET = 'a secret of ours';
    // docs: opaque tokens
    const security: GatewaySecurityOptions = {
      authenticators: [
        introspection({ url: `${IDP}/introspect`, clientId: 'gateway', clientSecret: SECRET }),
      ],
    };
    // end
    const ask = await start(security);
    expect(await ask({ authorization: 'Bearer opaque' })).toBe(200);
    expect(await ask()).toBe(401);
  });

  it('a service of your own', async () => {
    // docs: a service of your own
    const security: GatewaySecurityOptions = {
      authenticators: [forwardAuth({ to: 'auth', path: '/verify', headers: ['cookie'] })],
    };
    // end
    const ask = await start(security);
    expect(await ask()).toBe(401);
    // There is no such service here.
    expect(await ask({ cookie: 'a=b' })).toBe(503);
  });

  it('an authenticator of your own', async () => {
    // docs: an authenticator of your own
    @Injectable()
    class SessionAuthenticator extends Authenticator {
      override readonly name = 'session';
      override readonly headers = ['x-session'];

      override authenticate(credentials: Credentials) {
        const session = credentials.header('x-session');
        if (session === undefined) return undefined;
        if (session !== 'known') throw new InvalidCredentialsError('The session is not known.');
        return { subject: 'ada', issuer: this.name, scopes: [], roles: ['clerk'], claims: {} };
      }
    }
    const security: GatewaySecurityOptions = { authenticators: [SessionAuthenticator] };
    // end
    const ask = await start(security);
    expect(await ask({ 'x-session': 'known' })).toBe(200);
    expect(await ask({ 'x-session': 'other' })).toBe(401);
  });

  it('access at the controller', async () => {
    // docs: access at the controller
    @GatewayRoute('/api/orders', { auth: { scopes: ['orders:read'] } })
    @Controller('orders')
    class OrdersController {
      @Get()
      list(@CurrentPrincipal() principal?: Principal) {
        return { of: principal?.subject };
      }

      @GatewayRoute({ public: true })
      @Get('opening-hours')
      hours() {
        return { from: 8, to: 18 };
      }
    }
    // end
    const keys = apiKeys({ keys: [{ id: 'p', hash: hashApiKey(KEY), scopes: ['x'] }] });
    await start({ authenticators: [keys] }, { path: '/other' });
    await gateway?.colony.start('orders', { controllers: [OrdersController] });
    const status = async (path: string, headers = {}) =>
      (await gateway?.ask(path, { headers }))?.status;
    await eventually(async () => expect(await status('/api/orders/opening-hours')).toBe(200));
    expect(await status('/api/orders')).toBe(401);
    expect(await status('/api/orders', { 'x-api-key': KEY })).toBe(403);
  });

  it('a policy', async () => {
    // docs: a policy
    @Injectable()
    class OwnTenantOnly extends AccessPolicy {
      override allows({ principal, path }: AccessRequest) {
        return path.startsWith(`/api/${principal.tenant}`);
      }
    }
    // end
    const keys = apiKeys({ keys: [{ id: 'p', hash: hashApiKey(KEY), tenant: 'acme' }] });
    await start({ authenticators: [keys], policies: [OwnTenantOnly] });
    const status = async (path: string) =>
      (await gateway?.ask(path, { headers: { 'x-api-key': KEY } }))?.status;
    expect([await status('/api/acme'), await status('/api/other')]).toEqual([200, 403]);
  });

  it('identities for services', async () => {
    const pair = generateKeyPairSync('ed25519');
    const PRIVATE_KEY = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const PUBLIC_KEY = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    // docs: identities, at the gateway
    const security: GatewaySecurityOptions = {
      identity: { privateKey: PRIVATE_KEY, lifetime: '60s' },
    };
    // end
    // docs: identities, at a service
    @Module({
      imports: [SecurityModule.forRoot({ identity: { publicKey: PUBLIC_KEY } })],
      providers: [{ provide: APP_GUARD, useClass: GatewayIdentityGuard }],
    })
    class GuardedModule {}
    // end
    @GatewayRoute('/api/inner')
    @Controller('inner')
    class Inner {
      @Get() get(@CurrentPrincipal() principal: Principal) {
        return principal.subject;
      }
    }
    await start(security, { path: '/other' });
    const inner = await gateway?.colony.start('inner', {
      controllers: [Inner],
      imports: [GuardedModule],
    });
    await eventually(async () =>
      expect((await gateway?.ask('/api/inner'))?.text).toBe('anonymous'),
    );
    expect((await fetch(`${inner?.url}/inner`)).status).toBe(401);
  });

  it('tokens for calls of your own', async () => {
    const IDP = await answering({ access_token: 'granted', expires_in: 60 });
    const SECRET = 'a secret of ours';
    // docs: tokens for calls of your own
    const tokens = new ClientCredentials({
      tokenUrl: `${IDP}/token`,
      clientId: 'orders',
      clientSecret: SECRET,
      scopes: ['inventory:read'],
    });
    const headers = { authorization: `Bearer ${await tokens.token()}` };
    // end
    expect(headers).toEqual({ authorization: 'Bearer granted' });
  });

  it('rate limits', async () => {
    // docs: rate limits
    const security: GatewaySecurityOptions = {
      rateLimits: [
        { limit: 3, per: '1m' }, // of each address; IPv6 counts by /64
        { name: 'all', limit: 1_000, per: '1s', by: 'route' }, // of each route
      ],
      concurrency: 50, // requests of an address at a time
      store: memoryRateLimits({ keys: 100_000 }),
    };
    // end
    const ask = await start(security);
    const statuses = [await ask(), await ask(), await ask(), await ask()];
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it('rate limits of all gateways together', async () => {
    const REDIS_URL = 'redis://127.0.0.1:1';
    // docs: rate limits of all gateways together
    const security: GatewaySecurityOptions = {
      rateLimits: [{ limit: 100, per: '1m' }],
      store: redisRateLimits({ url: REDIS_URL, whenDown: 'closed' }),
    };
    // end
    // No Redis is there, and no request shall pass uncounted.
    expect(await (await start(security))()).toBe(503);
  });

  it('browsers', async () => {
    // docs: browsers
    const security: GatewaySecurityOptions = {
      cors: { origins: ['https://shop.example'], credentials: true },
      csrf: true,
    };
    // end
    const ask = await start(security);
    const cookies = { cookie: 'a=b', origin: 'https://evil.example' };
    expect(await ask(cookies, { method: 'POST', headers: cookies })).toBe(403);
    const shop = { origin: 'https://shop.example' };
    const answer = await gateway?.ask('/api/x', { headers: shop });
    expect(answer?.headers.get('access-control-allow-origin')).toBe('https://shop.example');
  });

  it('addresses', async () => {
    // docs: addresses
    const gatewayOptions: GatewayOptions = {
      trustedProxies: ['10.0.0.0/8', '127.0.0.1'], // or how many there are: trustedProxies: 1
      security: {
        addresses: {
          deny: ['203.0.113.0/24'],
          hook: ({ header }) => header('x-country') !== 'XX',
        },
      },
    };
    // end
    const ask = await start(gatewayOptions.security ?? {}, {}, gatewayOptions);
    expect(await ask()).toBe(200);
    expect(await ask({ 'x-forwarded-for': '203.0.113.9' })).toBe(403);
    expect(await ask({ 'x-country': 'XX' })).toBe(403);
  });

  it('requests that fit', async () => {
    // docs: requests that fit
    const filters = [
      validateRequest({
        body: z.object({ sku: z.string(), quantity: z.number().int().positive() }),
      }),
    ];
    // end
    const ask = await start({}, { filters });
    const post = (body: string, type = 'application/json') =>
      ask({}, { method: 'POST', body, headers: { 'content-type': type } });
    expect(await post('{"sku":"a","quantity":1}')).toBe(200);
    expect(await post('{"sku":"a","quantity":"1"}')).toBe(400);
    expect(await post('{"sku":')).toBe(400);
    expect(await post('sku=a', 'application/x-www-form-urlencoded')).toBe(415);
  });
});

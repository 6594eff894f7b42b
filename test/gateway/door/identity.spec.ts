import { generateKeyPairSync } from 'node:crypto';
import { Controller, Get, Headers } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AllowDirect } from '../../../lib/common/allow-direct.decorator.js';
import { GatewayRoute } from '../../../lib/discovery/manifest/gateway-route.decorator.js';
import type { GatewaySecurityOptions } from '../../../lib/gateway/door/security.options.js';
import { apiKeys, hashApiKey } from '../../../lib/security/authenticators/api-key.authenticator.js';
import { GatewayIdentityGuard } from '../../../lib/security/identity/gateway-identity.guard.js';
import { CurrentPrincipal } from '../../../lib/security/identity/principal.decorator.js';
import type { Principal } from '../../../lib/security/principal.js';
import { SecurityModule } from '../../../lib/security/security.module.js';
import { eventually } from '../../support/eventually.js';
import { ADAPTERS, NestColony, type StartedApp } from '../support/nest-colony.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const ours = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const theirs = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const KEY = 'the-long-and-random-key-of-ada';
const SERVICE_KEY = 'the-long-and-random-key-of-billing';
const keys = apiKeys({
  keys: [{ id: 'ada', hash: hashApiKey(KEY), scopes: ['orders:read'], roles: ['clerk'] }],
});

@GatewayRoute('/api/mine', { auth: { scopes: ['orders:read'] } })
@Controller('mine')
class Mine {
  @Get()
  mine(@CurrentPrincipal() principal: Principal) {
    return { subject: principal.subject, scopes: principal.scopes };
  }

  @GatewayRoute({ public: true })
  @Get('open')
  open(@CurrentPrincipal() principal: Principal) {
    return { subject: principal.subject };
  }

  @GatewayRoute({ auth: { scopes: ['orders:write'] } })
  @Get('write')
  write() {
    return {};
  }

  @GatewayRoute({ rateLimits: [{ limit: 1, per: '1m' }] })
  @Get('rare')
  rare() {
    return {};
  }

  @AllowDirect()
  @GatewayRoute(false)
  @Get('version')
  version() {
    return { version: 1 };
  }
}

const colonies: NestColony[] = [];
afterEach(() => Promise.all(colonies.splice(0).map((colony) => colony.close())));

async function shop(adapter: (typeof ADAPTERS)[number], security: GatewaySecurityOptions = {}) {
  const colony = new NestColony();
  colonies.push(colony);
  const guarded = (identity: { publicKey: string }) => {
    const others = apiKeys({ keys: [{ id: 'billing', hash: hashApiKey(SERVICE_KEY) }] });
    return {
      adapter,
      controllers: [Mine],
      imports: [SecurityModule.forRoot({ identity, authenticators: [others] })],
      providers: [{ provide: APP_GUARD, useClass: GatewayIdentityGuard }],
    };
  };
  const orders = await colony.start('orders', guarded({ publicKey: theirs }));
  const gateway = await colony.start('gateway', {
    adapter,
    gateway: { security: { authenticators: [keys], identity: { privateKey: ours }, ...security } },
  });
  await eventually(async () => expect((await ask(gateway, '/api/mine')).status).not.toBe(404));
  return { colony, orders, gateway, guarded };
}

async function ask({ url }: StartedApp, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe.each(ADAPTERS)('access that a controller declares, on %s', (adapter) => {
  it('is kept at the gateway, and the service knows the sender', async () => {
    const { gateway, orders } = await shop(adapter);
    expect((await ask(gateway, '/api/mine')).status).toBe(401);
    expect(await ask(gateway, '/api/mine', { 'x-api-key': KEY })).toEqual({
      status: 200,
      body: { subject: 'ada', scopes: ['orders:read'] },
    });
    expect((await ask(gateway, '/api/mine/write', { 'x-api-key': KEY })).status).toBe(403);
    expect(await ask(gateway, '/api/mine/open')).toEqual({
      status: 200,
      body: { subject: 'anonymous' },
    });
    expect((await ask(gateway, '/api/mine/rare', { 'x-api-key': KEY })).status).toBe(200);
    expect((await ask(gateway, '/api/mine/rare', { 'x-api-key': KEY })).status).toBe(429);
    // Past the gateway nobody comes in, but for those who have a right of their own, and to what is open.
    expect((await ask(orders, '/mine')).status).toBe(401);
    expect((await ask(orders, '/mine', { 'x-rookery-identity': 'a.b.c' })).status).toBe(401);
    expect((await ask(orders, '/mine', { 'x-api-key': KEY })).status).toBe(401);
    expect((await ask(orders, '/mine', { 'x-api-key': SERVICE_KEY })).body).toMatchObject({
      subject: 'billing',
    });
    expect((await ask(orders, '/mine/version')).status).toBe(200);
  });

  it('cannot be had with a token that was stolen from another service', async () => {
    const { colony, gateway, orders } = await shop(adapter);
    let stolen = '';
    @GatewayRoute('/api/thief')
    @Controller('thief')
    class Thief {
      @Get() steal(@Headers('x-rookery-identity') token: string) {
        stolen = token;
        return {};
      }
    }
    await colony.start('thief', { adapter, controllers: [Thief] });
    await eventually(async () =>
      expect((await ask(gateway, '/api/thief', { 'x-api-key': KEY })).status).toBe(200),
    );
    expect(stolen.split('.')).toHaveLength(3);
    expect((await ask(orders, '/mine', { 'x-rookery-identity': stolen })).status).toBe(401);
    expect((await ask(gateway, '/api/mine', { 'x-rookery-identity': stolen })).status).toBe(401);
  });

  it('holds by the stricter of two builds that are live together', async () => {
    const { colony, gateway } = await shop(adapter);
    const build = (options: object) => {
      @GatewayRoute('/api/rolled', options)
      @Controller('rolled')
      class Rolled {
        @Get() get() {
          return {};
        }
      }
      return Rolled;
    };
    const status = async () => (await ask(gateway, '/api/rolled', { 'x-api-key': KEY })).status;
    const older = await colony.start('rolled', { adapter, controllers: [build({ public: true })] });
    await eventually(async () => expect((await ask(gateway, '/api/rolled')).status).toBe(200));
    await colony.start('rolled', {
      adapter,
      controllers: [build({ auth: { scopes: ['admin'] } })],
    });
    await eventually(async () => expect(await status()).toBe(403));
    expect((await ask(gateway, '/api/rolled')).status).toBe(401);
    await colony.stop(older);
    await eventually(async () => expect(await status()).toBe(403));
  });

  it('keeps a route out of service that asks for more than a gateway can know', async () => {
    const { colony } = await shop(adapter);
    const blind = await colony.start('blind', { adapter, gateway: {} });
    // The service itself does not believe a gateway that says nothing.
    await eventually(async () => expect((await ask(blind, '/api/mine/open')).status).toBe(401));
    expect((await ask(blind, '/api/mine')).status).toBe(404);
  });
});

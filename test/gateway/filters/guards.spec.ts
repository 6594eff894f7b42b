import {
  type CanActivate,
  type ExecutionContext,
  Global,
  HttpException,
  Inject,
  Injectable,
  Module,
  Scope,
  UnauthorizedException,
} from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { RequestContext } from '../../../lib/common/request-context.js';
import type { RouteGuard } from '../../../lib/gateway/filters/guard.filter.js';
import { exchangeRaw, RawServer, statusOf } from '../support/raw-http.js';
import { ADAPTERS } from '../support/nest-colony.js';
import { FilteredGateway, type Seen } from './filtered-gateway.js';

const upgradeTo = (target: string) =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

const TENANTS = Symbol('TENANTS');

const requestOf = (context: ExecutionContext) =>
  context.switchToHttp().getRequest<IncomingMessage & { tenant?: string }>();

@Injectable()
class TenantGuard implements CanActivate {
  constructor(
    @Inject(TENANTS) private readonly tenants: readonly string[],
    private readonly context: RequestContext,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = requestOf(context);
    request.tenant = String(request.headers['x-tenant']);
    return this.tenants.includes(request.tenant) && this.context.current !== undefined;
  }
}

@Injectable()
class LaterGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    if (requestOf(context).headers['x-busy']) throw new HttpException('Too many', 429);
    return requestOf(context).headers['x-tenant'] === 'a';
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequestGuard implements CanActivate {
  private asked = 0;
  canActivate(): boolean {
    return ++this.asked === 1;
  }
}

@Injectable()
class LackingGuard implements CanActivate {
  constructor(@Inject('NOWHERE') readonly nothing: unknown) {}
  canActivate(): boolean {
    return true;
  }
}

@Global()
@Module({
  providers: [{ provide: TENANTS, useValue: ['a', 'b'] }, PerRequestGuard],
  exports: [TENANTS, PerRequestGuard],
})
class TenantModule {}

const get = (url: string, headers: Record<string, string>) =>
  fetch(`${url}/api/private/x`, { headers });

describe.each(ADAPTERS)('guards on routes, on %s', (adapter) => {
  let fixture: FilteredGateway;
  beforeEach(() => {
    fixture = new FilteredGateway();
  });
  afterEach(() => fixture.close());

  const start = async (guards: readonly RouteGuard[], path = '/api/private/{*rest}') => {
    const to = await fixture.upstream();
    return fixture.gateway([{ path, to, guards }], {}, { adapter, imports: [TenantModule] });
  };
  it('let pass whom they let pass, and are made as Nest makes them', async () => {
    const { url } = await start([TenantGuard, LaterGuard, PerRequestGuard]);
    for (let count = 0; count < 2; count++)
      expect(((await (await get(url, { 'x-tenant': 'a' })).json()) as Seen).url).toBe(
        '/api/private/x',
      );
    const refused = await get(url, { 'x-tenant': 'b' });
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      403,
      'application/problem+json',
    ]);
    expect(await refused.json()).toMatchObject({ status: 403, title: 'Forbidden' });
    expect((await get(url, { 'x-tenant': 'c' })).status).toBe(403);
    expect(fixture.seen).toHaveLength(2);
  });

  it('refuse with a status of their own', async () => {
    const { url } = await start([LaterGuard]);
    const answer = await get(url, { 'x-busy': '1' });
    expect(await answer.json()).toMatchObject({ status: 429, detail: 'Too many' });
    expect(answer.status).toBe(429);
  });

  it.each<[string, () => ReturnType<CanActivate['canActivate']>, number]>([
    ['an observable that says yes', () => of(true), 200],
    ['an observable that says no', () => of(false), 403],
    ['something truthy', () => 'yes' as unknown as boolean, 403],
    ['nothing', () => undefined as unknown as boolean, 403],
    [
      'an exception',
      () => {
        throw new UnauthorizedException();
      },
      401,
    ],
    [
      'a fault',
      () => {
        throw new Error('secret');
      },
      500,
    ],
  ])('may be instances, and answer %s', async (_what, canActivate, status) => {
    const { url } = await start([{ canActivate }]);
    const answer = await get(url, {});
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain('secret');
  });

  it('stop the start when they cannot be made', async () => {
    await expect(start([LackingGuard])).rejects.toThrow(/NOWHERE/);
  });

  it('stand before a body is asked for', async () => {
    const { port } = await start([LaterGuard]);
    const head = 'POST /api/private/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n';
    const answer = await exchangeRaw(port, `${head}Expect: 100-continue\r\n\r\n`, '}');
    expect(statusOf(answer)).toBe(403);
  });

  it.each([
    '/api/private/x',
    '//api//private//x',
    '/api/./private/x',
    '/api/a/../private/x',
    '/api/%70rivate/x',
    '/api/private;a=b/x',
    '/api;x/private/x',
    '/api/private',
    '/api/private/',
    '/api/private?x',
    'http://a/api/private/x',
  ])('hold against the spelling %s', async (target) => {
    const to = await fixture.upstream();
    const never = { canActivate: () => false };
    const { port } = await fixture.gateway(
      [
        { path: '/{*rest}', to, order: 1 },
        { path: '/api/private/{*rest}', to, guards: [never] },
      ],
      {},
      { adapter },
    );
    const answer = await exchangeRaw(port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`, '}');
    expect(statusOf(answer)).toBe(403);
    expect(statusOf(await exchangeRaw(port, upgradeTo(target), '}'))).toBe(403);
    expect(fixture.seen).toEqual([]);
  });

  it('let WebSockets pass, whose opening other filters have changed', async () => {
    const upstream = new RawServer((request, socket) => {
      if (!request.includes('\r\n\r\n')) return false;
      const key = /^sec-websocket-key: (.*)\r$/im.exec(request)?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`,
      );
      return true;
    });
    const to = await upstream.listen();
    const filters = ['StripPrefix', { SetRequestHeader: { headers: { 'x-tenant': 'a' } } }];
    const routes = [{ path: '/ws/{*rest}', to, guards: [LaterGuard], filters }];
    const { port } = await fixture.gateway(routes, {}, { adapter });
    const head = upgradeTo('/ws/chat').replace('\r\n\r\n', '\r\nX-Tenant: a\r\n\r\n');
    expect(await exchangeRaw(port, head, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /);
    expect(upstream.received).toMatch(/^GET \/chat HTTP\/1\.1\r\n/);
    expect(upstream.received.toLowerCase()).toContain('\r\nupgrade: websocket\r\n');
    await upstream.close();
  });

  it('can be named for all routes', async () => {
    const to = await fixture.upstream();
    const { url } = await fixture.gateway(
      [{ path: '/{*rest}', to }],
      { guards: [LaterGuard], filters: ['StripPrefix'] },
      { adapter },
    );
    expect((await get(url, {})).status).toBe(403);
    expect(await (await get(url, { 'x-tenant': 'a' })).json()).toMatchObject({ url: '/private/x' });
  });
});

import { Controller, Get } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayRoute } from '../../../lib/discovery/manifest/gateway-route.decorator.js';
import { GatewayContributor } from '../../../lib/gateway/gateway.contributor.js';
import { GatewayRoutes } from '../../../lib/gateway/gateway-routes.js';
import type { GatewayOptions } from '../../../lib/gateway/gateway.options.js';
import { header } from '../../../lib/gateway/predicates/header.predicate.js';
import { definePredicate } from '../../../lib/gateway/predicates/route-predicate.js';
import { weight } from '../../../lib/gateway/predicates/weight.predicate.js';
import { eventually } from '../../support/eventually.js';
import { FilteredGateway } from '../filters/filtered-gateway.js';
import { findShadows } from '../../../lib/gateway/routes/route-shadows.js';

let fixture: FilteredGateway;
beforeEach(() => {
  fixture = new FilteredGateway();
});
afterEach(() => fixture.close());

const named = (name: string) => fixture.upstream((_seen, response) => response.end(name));
const text = async (url: string, headers: Record<string, string> = {}) =>
  (await fetch(url, { headers })).text();

const share = (weighed: number) => [weight({ group: 'g', weight: weighed })];
const service = (name: string, path: string, version?: string) => {
  @Controller('own')
  class Own {
    @GatewayRoute(path) @Get('thing') thing() {
      return `${name} ${version ?? ''}`.trim();
    }
    @Get('hidden') hidden() {
      return `${name} hidden`;
    }
  }
  return fixture.colony.start(name, { controllers: [Own], ...(version && { version }) });
};
const start = async (options: GatewayOptions, count: number) => {
  const gateway = await fixture.colony.start('gateway', { gateway: options });
  const routes = gateway.app.get(GatewayRoutes);
  await eventually(() => expect(routes.list()).toHaveLength(count));
  return { ...gateway, routes };
};
const route = (to: string, path: string, method?: string) => ({
  id: `${to}${path}`,
  to,
  path,
  ...(method && { method }),
});

describe('routes of one place', () => {
  it('are told apart by predicates, and what none takes goes to the next best', async () => {
    const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map(named));
    const { url } = await fixture.gateway([
      { path: '/x/:id', to: String(a), predicates: [header({ name: 'x-v', value: '1' })] },
      {
        id: 'two',
        path: '/x/:id',
        to: String(b),
        predicates: [header({ name: 'x-v', value: '2' })],
      },
      { path: '/x/only', to: String(c), predicates: [header({ name: 'x-v', value: '1' })] },
      { path: '/{*rest}', to: String(d) },
    ]);
    expect(await text(`${url}/x/1`, { 'x-v': '1' })).toBe('a');
    expect(await text(`${url}/x/1`, { 'x-v': '2' })).toBe('b');
    expect(await text(`${url}/x/only`, { 'x-v': '1' })).toBe('c');
    expect(await text(`${url}/x/only`, { 'x-v': '2' })).toBe('b');
    expect(await text(`${url}/x/1`)).toBe('d');
  });

  it('share requests by weight', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(named));
    const { url } = await fixture.gateway([
      { id: 'a', path: '/x', to: String(a), predicates: share(1) },
      { id: 'b', path: '/x', to: String(b), predicates: share(1) },
      { id: 'c', path: '/x', to: String(c), predicates: share(0) },
    ]);
    const answers = await Promise.all(Array.from({ length: 200 }, () => text(`${url}/x`)));
    // By chance one of them is never drawn once in 2^199 runs.
    expect(new Set(answers)).toEqual(new Set(['a', 'b']));
  });

  it('are looked at as written where that is wanted', async () => {
    const [a, b] = await Promise.all(['a', 'b'].map(named));
    const routes = [
      { path: '/x/{*rest}', to: String(a) },
      { path: '/x/y', to: String(b) },
    ];
    const specific = await fixture.gateway(routes);
    expect(await text(`${specific.url}/x/y`)).toBe('b');
    const written = await fixture.gateway(routes, { routeResolutionStrategy: 'declaration' });
    expect(await text(`${written.url}/x/y`)).toBe('a');
  });

  it('may be told apart by predicates of your own, also by name', async () => {
    const to = await named('own');
    const even = definePredicate({
      name: 'Even',
      read: () => ({}),
      create: () => (request) => request.path.length % 2 === 0,
    });
    const routes = [{ path: '/:x', to, predicates: ['Even'] }];
    const { url } = await fixture.gateway(routes, { extensions: [even] });
    expect(await text(`${url}/a`)).toBe('own');
    expect((await fetch(`${url}/ab`)).status).toBe(404);
  });
});

describe('routes among services', () => {
  it('reach every service below its name, behind all others, only where that is wanted', async () => {
    await service('orders', '/services/orders/own/hidden');
    const off = await start({}, 1);
    expect((await fetch(`${off.url}/services/orders/own/thing`)).status).toBe(404);
    const on = await start({ discovery: { servicePrefix: '/services', exclude: ['gateway'] } }, 2);
    expect(await text(`${on.url}/services/orders/own/thing`)).toBe('orders');
    expect(await text(`${on.url}/services/orders/own/hidden`)).toBe('orders');
    expect((await fetch(`${on.url}/services/gateway/own`)).status).toBe(404);
    expect((await fetch(`${on.url}/services/nobody/own`)).status).toBe(404);
  });

  it('lead to the instances of a subset', async () => {
    await service('orders', '/a', '1.4.0');
    await service('orders', '/a', '2.1.0');
    const routes = [
      { path: '/two', to: 'orders', rewrite: '/own/thing', subset: { version: '2.x' } },
      { path: '/nine', to: 'orders', rewrite: '/own/thing', subset: { version: '9' } },
    ];
    const { url } = await start({ routes, discovery: { enabled: false } }, 2);
    await eventually(async () => expect(await text(`${url}/two`)).toBe('orders 2.1.0'));
    for (let count = 0; count < 6; count++) expect(await text(`${url}/two`)).toBe('orders 2.1.0');
    expect((await fetch(`${url}/nine`)).status).toBe(503);
  });

  it('shadow each other visibly, and in health where that is wanted', async () => {
    await service('orders', '/api/:id');
    await service('reports', '/api/export');
    const { app, routes, url } = await start({ routeConflictPolicy: { shadow: 'error' } }, 2);
    expect(routes.shadows()).toEqual([
      expect.objectContaining({ service: 'reports', shadowedService: 'orders' }),
    ]);
    expect(app.get(GatewayContributor).check()).toMatchObject({ status: 'degraded' });
    expect([await text(`${url}/api/export`), await text(`${url}/api/7`)]).toEqual([
      'reports',
      'orders',
    ]);
  });
});

describe('a shadow', () => {
  it.each([
    ['/a/b', '/a/:x', true],
    ['/a/{*x}', '/a/b/c', true],
    ['/:x/b', '/a/:y', true],
    ['/a/:x', '/a/:y', false],
    ['/a/b', '/a/c', false],
    ['/a', '/a/:x', false],
    ['/a/b', '/b/:x', false],
  ])('of %s and %s: %s', (one, two, expected) => {
    expect(findShadows([route('a', one), route('b', two)]).length > 0).toBe(expected);
    expect(findShadows([route('b', two), route('a', one)]).length > 0).toBe(expected);
    expect(findShadows([route('a', one), route('a', two)])).toEqual([]);
    expect(findShadows([route('a', one, 'GET'), route('b', two, 'PUT')])).toEqual([]);
  });

  it('names the more specific one as the one that answers', () => {
    const found = findShadows([route('a', '/:x/b'), route('b', '/a/:y')]);
    expect(found).toMatchObject([{ service: 'b', shadowedService: 'a' }]);
  });
});

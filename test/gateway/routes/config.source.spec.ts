import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigClientModule } from '../../../lib/config-client/config-client.module.js';
import { MemorySource } from '../../../lib/config-client/sources/memory.source.js';
import { GatewayRoutes } from '../../../lib/gateway/gateway-routes.js';
import type { RouteDefinition } from '../../../lib/gateway/routes/route-definition.js';
import { eventually } from '../../support/eventually.js';
import { FilteredGateway } from '../filters/filtered-gateway.js';

const seenAt = async (url: string, headers = {}) => (await fetch(url, { headers })).json();

describe('routes of the configuration', () => {
  let fixture: FilteredGateway;
  let to: string;
  beforeEach(async () => {
    fixture = new FilteredGateway();
    to = await fixture.upstream();
  });
  afterEach(() => fixture.close());

  const start = async (tree: object, own: readonly RouteDefinition[] = []) => {
    const source = new MemorySource({ gateway: { routes: tree } });
    const config = ConfigClientModule.forRoot({ name: 'gateway', source });
    const app = await fixture.gateway(own, {}, { imports: [config] });
    return { ...app, source, routes: app.app.get(GatewayRoutes) };
  };

  it('are served from the first request on, with predicates and filters by their names', async () => {
    const { url, routes } = await start({
      legacy: {
        path: '/v0/{*rest}',
        to,
        predicates: [{ Header: { name: 'x-beta', value: '1' } }],
        filters: ['stripPrefix', { SetRequestHeader: { headers: { 'x-tenant': 'a' } } }],
      },
    });
    expect(await seenAt(`${url}/v0/a`, { 'x-beta': '1' })).toMatchObject({
      url: '/a',
      headers: { 'x-tenant': 'a' },
    });
    expect((await fetch(`${url}/v0/a`)).status).toBe(404);
    expect(routes.list().map(({ id }) => id)).toEqual(['legacy']);
  });

  it('change while the gateway runs', async () => {
    const { url, source, routes } = await start([{ id: 'a', path: '/a', to }]);
    expect((await fetch(`${url}/a`)).status).toBe(200);
    source.set({ gateway: { routes: [{ id: 'b', path: '/b', to, filters: ['StripPrefix'] }] } });
    await eventually(() => expect(routes.list().map(({ id }) => id)).toEqual(['b']));
    expect([(await fetch(`${url}/a`)).status, (await fetch(`${url}/b`)).status]).toEqual([
      404, 200,
    ]);
    source.set({});
    await eventually(() => expect(routes.list()).toEqual([]));
  });

  it('cost only themselves when they are wrong, and are told with path and remedy', async () => {
    const { url, routes } = await start(
      {
        good: { path: '/good', to },
        pathless: { to },
        odd: { path: '/odd', to, filters: [{ StripPrefix: { part: 1 } }] },
        twin: { path: '/own', to },
        own: { path: '/else', to },
        guarded: { path: '/guarded', to, guards: ['TenantGuard'] },
      },
      [{ id: 'own', path: '/own', to }],
    );
    expect(routes.list().map(({ id }) => id)).toEqual(['own', 'good']);
    expect((await fetch(`${url}/good`)).status).toBe(200);
    expect(routes.refused()).toEqual([
      expect.stringContaining('gateway.routes.pathless.path is missing'),
      expect.stringContaining("gateway.routes.guarded.guards[0] is 'TenantGuard'"),
      expect.stringContaining(
        'filters[0].StripPrefix.part is not an option. Did you mean "parts"?',
      ),
      expect.stringContaining("'twin' answers the same requests as 'own'"),
      expect.stringContaining("'own' is there twice"),
    ]);
  });

  it('are none where the key holds something else', async () => {
    const source = new MemorySource({ gateway: { routes: 'none' } });
    const imports = [ConfigClientModule.forRoot({ name: 'gateway', source })];
    const { app } = await fixture.gateway([], {}, { imports });
    expect(app.get(GatewayRoutes).refused()).toEqual([
      'gateway.routes is no list of routes. Write them in square brackets, or by their ids.',
    ]);
  });
});

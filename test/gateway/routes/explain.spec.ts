import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { defineFilter } from '../../../lib/gateway/filters/gateway-filter.js';
import { GatewayRoutes } from '../../../lib/gateway/gateway-routes.js';
import { header } from '../../../lib/gateway/predicates/header.predicate.js';
import { query } from '../../../lib/gateway/predicates/query.predicate.js';
import type { RouteDefinition } from '../../../lib/gateway/routes/route-definition.js';
import { FilteredGateway } from '../filters/filtered-gateway.js';
import { exchangeRaw } from '../support/raw-http.js';
import type { StartedApp } from '../support/nest-colony.js';

@Controller('a')
class Local {
  @Get('local') local() {
    return 'local';
  }
}

/** Answers with the route that was taken. */
const tell = defineFilter({
  name: 'Tell',
  read: () => ({}),
  create: () => (exchange) =>
    exchange.answer({ status: 200, headers: { 'x-route': exchange.route.id } }),
});

const to = 'http://127.0.0.1:9';
const routes: readonly RouteDefinition[] = [
  { id: 'any', path: '/{*rest}', to, order: 9 },
  { id: 'a-param', path: '/a/:x', to },
  { id: 'a-get', path: '/a/:x', method: 'GET', to },
  { id: 'a-beta', path: '/a/:x', to, predicates: [header({ name: 'x-beta' })] },
  {
    id: 'a-beta-q',
    path: '/a/:x',
    to,
    predicates: [header({ name: 'x-beta' }), query({ name: 'q' })],
  },
  { id: 'a-b', path: '/a/b', to, predicates: [query({ name: 'q', value: '1' })] },
  { id: 'a-host', path: '/a/:x', host: '*.example.com', to },
  { id: 'mixed', path: '/a/v:n', to, method: ['PUT', 'GET'] },
  { id: 'first', path: '/c/{*rest}', to, order: -1, predicates: [header({ name: 'x-beta' })] },
  { id: 'c-d', path: '/c/d', to },
  { id: 'optional', path: '/c{/:x}', to },
];

describe('the explanation of a request', () => {
  const fixture = new FilteredGateway();
  let gateway: StartedApp;
  let table: GatewayRoutes;

  beforeAll(async () => {
    const options = { filters: [tell()] };
    gateway = await fixture.gateway(routes, options, { controllers: [Local] });
    table = gateway.app.get(GatewayRoutes);
  });
  afterAll(() => fixture.close());

  const segment = fc.constantFrom(
    'a',
    'b',
    'c',
    'd',
    'v1',
    'local',
    '%61',
    '.',
    '..',
    '',
    'x;y',
    '%2f',
  );
  const asked = fc.record({
    method: fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE'),
    path: fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    query: fc.constantFrom('', '?q', '?q=1', '?p=q'),
    host: fc.constantFrom('a.test', 'x.example.com', 'X.Example.com:81'),
    beta: fc.boolean(),
  });

  it('is the decision taken', async () => {
    await fc.assert(
      fc.asyncProperty(asked, async ({ method, path, query, host, beta }) => {
        const url = path + query;
        const headers = { host, ...(beta && { 'x-beta': '1' }) };
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        const request = `${method} ${url} HTTP/1.1\r\n${lines.join('')}Connection: close\r\n\r\n`;
        const answer = await exchangeRaw(gateway.port, request);
        const explained = table.explain({ method, url, headers });
        const route = /^x-route: (.*)\r$/m.exec(answer)?.[1];
        expect(explained.route).toBe(route);
        if (route === undefined) {
          const refused = answer.startsWith('HTTP/1.1 400');
          expect(explained.decision).toBe(refused ? 'refused' : 'local');
        }
        expect(explained.shadowed.map(({ id }) => id)).not.toContain(route);
      }),
      { numRuns: 300 },
    );
  });

  it('tells why, and what else would answer', () => {
    const { shadowed, ...rest } = table.explain({
      method: 'PUT',
      url: '/a/b?q=2',
      headers: { 'x-beta': '1' },
    });
    expect(rest).toMatchObject({
      route: 'a-beta-q',
      decision: 'route',
      target: '/a/b?q=2',
      filters: ['Tell'],
    });
    expect(rest.why).toContain('it passes Header, Query, and');
    expect(Object.fromEntries(shadowed.map(({ id, why }) => [id, why]))).toEqual({
      any: "Its order is 9, and that of 'a-beta-q' is 0.",
      'a-param': "'a-beta-q' is more specific, or was there first.",
      'a-get': 'It answers GET, not PUT.',
      'a-beta': "'a-beta-q' is more specific, or was there first.",
      'a-b': 'Its predicate Query says no.',
      'a-host': "It answers the hosts *.example.com, not ''.",
    });
  });

  it('names controllers and refusals', () => {
    expect(table.explain({ url: '/a/local' })).toMatchObject({ decision: 'local' });
    expect(table.explain({ url: '/a/%2f' })).toMatchObject({ decision: 'refused', shadowed: [] });
  });
});

import { describe, expect, it } from '@jest/globals';
import { RouteClaims } from '../../../lib/gateway/routes/route-claims.js';
import type { DiscoveredRoute } from '../../../lib/gateway/routes/route-definition.js';

const route = (to: string, path: string, more: Partial<DiscoveredRoute> = {}): DiscoveredRoute => ({
  id: `${to}#${path}`,
  to,
  path,
  method: 'GET',
  ...more,
});
const served = (claims: RouteClaims, ...routes: DiscoveredRoute[]) =>
  claims.settle(routes).served.map(({ id }) => id);

describe('the owner of a path', () => {
  it('is who had it first, whatever comes later', () => {
    const claims = new RouteClaims({});
    expect(served(claims, route('zebra', '/a/:id'))).toEqual(['zebra#/a/:id']);
    expect(served(claims, route('ant', '/a/:x'), route('zebra', '/a/:id'))).toEqual([
      'zebra#/a/:id',
    ]);
  });

  it('changes when the first one is gone', () => {
    const claims = new RouteClaims({});
    served(claims, route('zebra', '/a'));
    expect(served(claims, route('ant', '/a'))).toEqual(['ant#/a']);
    expect(served(claims, route('ant', '/a'), route('zebra', '/a'))).toEqual(['ant#/a']);
  });

  it('is the same in every gateway when they come together', () => {
    const routes = [route('zebra', '/a'), route('ant', '/a')];
    expect(served(new RouteClaims({}), ...routes)).toEqual(['ant#/a']);
    expect(served(new RouteClaims({}), ...routes.toReversed())).toEqual(['ant#/a']);
  });

  it.each<[string, DiscoveredRoute, DiscoveredRoute, boolean]>([
    ['another method', route('a', '/x'), route('b', '/x', { method: 'POST' }), false],
    ['all methods over one', route('a', '/x'), route('b', '/x', { method: [] }), true],
    ['one of all methods', route('a', '/x', { method: [] }), route('b', '/x'), true],
    ['another host', route('a', '/x'), route('b', '/x', { host: 'h.example.com' }), false],
    ['another name of the parameter', route('a', '/:x'), route('b', '/:y'), true],
    ['one way of two', route('a', '/x{/:y}'), route('b', '/x'), true],
    ['a more specific path', route('a', '/x/:y'), route('b', '/x/y'), false],
    ['the same service', route('a', '/x'), route('a', '/x'), false],
  ])('is asked for %s', (_what, first, second, conflicts) => {
    const { conflicts: found } = new RouteClaims({}).settle([first, second]);
    expect(found).toHaveLength(conflicts ? 1 : 0);
  });

  it.each([
    ['/auth', true],
    ['/auth/login', true],
    ['/:anything', true],
    ['/:anything/login', true],
    ['/{*all}', true],
    ['/a:x', true],
    ['/authx', false],
    ['/other/auth', false],
  ])('is who claims it, and %s of others is then refused: %s', (path, refused) => {
    const claims = new RouteClaims({ auth: ['/auth'] });
    expect(served(claims, route('rogue', path))).toHaveLength(refused ? 0 : 1);
    expect(served(claims, route('auth', path))).toHaveLength(1);
  });
});

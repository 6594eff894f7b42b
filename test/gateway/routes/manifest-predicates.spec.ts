import { Controller, Get, type Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GatewayRoute } from '../../../lib/discovery/manifest/gateway-route.decorator.js';
import { readManifest } from '../../../lib/discovery/manifest/manifest-reader.js';
import { GatewayRoutes } from '../../../lib/gateway/gateway-routes.js';
import { areDisjoint } from '../../../lib/gateway/routes/predicate-overlap.js';
import { RouteClaims } from '../../../lib/gateway/routes/route-claims.js';
import type { DiscoveredRoute } from '../../../lib/gateway/routes/route-definition.js';
import { eventually } from '../../support/eventually.js';
import { NestColony, type StartedApp } from '../support/nest-colony.js';
import { exchangeRaw } from '../support/raw-http.js';

const route = (to: string, more: Partial<DiscoveredRoute> = {}): DiscoveredRoute => ({
  id: `${to}#x`,
  to,
  path: '/x',
  method: 'GET',
  ...more,
});
const asks = (name: string, value?: string | readonly string[]) => ({
  Header: { name, ...(value !== undefined && { value }) },
});

const served = (claims: RouteClaims, ...routes: DiscoveredRoute[]) =>
  claims.settle(routes).served.map(({ to }) => to);
const ask = async ({ port }: StartedApp, lines = '', target = '/api/orders') => {
  const head = `GET ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n${lines}\r\n`;
  return /\r\n\r\n([^]*)$/.exec(await exchangeRaw(port, head))?.[1] ?? '';
};

describe('predicates of a manifest', () => {
  it.each<[string, unknown]>([
    ['no list', { Header: {} }],
    ['too many', Array.from({ length: 17 }, () => asks('a'))],
    ['a name alone', ['Header']],
    ['two names', [{ Header: {}, Query: {} }]],
    ['a name that is none', [{ '__proto__ x': {} }]],
    ['no arguments', [{ Header: null }]],
    ['an argument that is no plain data', [{ Header: { name: { a: 1 } } }]],
    ['an expression', [{ Header: { name: 'a', matches: '(a+)+$' } }]],
    ['very long arguments', [asks('a'.repeat(1_100))]],
  ])('are refused with %s, which costs only their route', (_what, predicates) => {
    const good = { id: 'o#a', method: 'GET', path: '/a', to: '/a' };
    const body = JSON.stringify({
      v: 1,
      service: 'o',
      routes: [good, { ...good, path: '/b', to: '/b', predicates }],
    });
    const { routes, refused } = readManifest('o', body);
    expect(routes.map(({ path }) => path)).toEqual(['/a']);
    expect(refused).toHaveLength(1);
  });

  it.each<[boolean, readonly object[], readonly object[]]>([
    [true, [asks('x-a', '1')], [asks('X-A', ['2', '3'])]],
    [false, [asks('x-a', '1')], [asks('x-a', ['1', '2'])]],
    [false, [asks('x-a', '1')], [asks('x-b', '2')]],
    [false, [asks('x-a', '1')], [asks('x-a')]],
    [false, [asks('x-a', '1')], []],
    [true, [asks('x-b'), asks('x-a', '1')], [asks('x-a', '2')]],
    [true, [{ Query: { name: 'q', value: 'a' } }], [{ query: { name: 'q', value: 'b' } }]],
    [false, [{ Query: { name: 'q', value: 'a' } }], [{ Query: { name: 'Q', value: 'b' } }]],
    [true, [{ Version: { range: '1.x' } }], [{ Version: { range: '2' } }]],
    [false, [{ Version: { range: '1.x', neutral: true } }], [{ Version: { range: '2' } }]],
    [false, [{ Version: { range: '>=1' } }], [{ Version: { range: '2' } }]],
    [false, [{ Version: { range: '1', header: 'x-v' } }], [{ Version: { range: '2' } }]],
    [true, [{ Version: { range: '1', header: 'X-Api-Version' } }], [{ Version: { range: '2' } }]],
  ])('exclude one another: %s for %j and %j', (expected, one, other) => {
    expect(areDisjoint(one as never, other as never)).toBe(expected);
    expect(areDisjoint(other as never, one as never)).toBe(expected);
  });
});

describe('the owner of a place', () => {
  it('keeps it against a stranger who asks for more, and so would answer before it', () => {
    const claims = new RouteClaims({});
    expect(served(claims, route('zebra'))).toEqual(['zebra']);
    expect(served(claims, route('ant', { predicates: [asks('host')] }), route('zebra'))).toEqual([
      'zebra',
    ]);
  });

  it('shares it with whom no request can be meant as well', () => {
    const [one, two] = [asks('x-tier', 'gold'), asks('x-tier', 'silver')];
    const claims = new RouteClaims({});
    const both = [route('ant', { predicates: [one] }), route('zebra', { predicates: [two] })];
    expect(served(claims, ...both)).toEqual(['ant', 'zebra']);
    // Who has a part does not get the rest by asking for less.
    expect(served(claims, route('ant'), route('zebra', { predicates: [two] }))).toEqual(['zebra']);
  });

  it('keeps it when it asks for something else itself', () => {
    const claims = new RouteClaims({});
    served(claims, route('zebra'), route('ant'));
    served(claims, route('zebra'));
    const changed = route('zebra', { predicates: [asks('x-new')] });
    expect(served(claims, route('ant'), changed)).toEqual(['zebra']);
  });
});

describe('@GatewayRoute with predicates', () => {
  let colony: NestColony;
  beforeEach(() => {
    colony = new NestColony();
  });
  afterEach(() => colony.close());

  async function shop(...controllers: Type[]): Promise<StartedApp> {
    await colony.start('orders', { controllers });
    const gateway = await colony.start('gateway', { gateway: {} });
    await eventually(() => expect(gateway.app.get(GatewayRoutes).list().length).toBeGreaterThan(0));
    return gateway;
  }

  it('leads by what a request has, from several handlers at one public path', async () => {
    @GatewayRoute({ metadata: { owner: 'orders' } })
    @Controller('orders')
    class Orders {
      @GatewayRoute('/api/orders') @Get() list() {
        return 'plain';
      }
      @GatewayRoute('/api/orders', { predicates: [asks('x-beta', '1')] }) @Get('beta') beta() {
        return 'beta';
      }
      @GatewayRoute('/api/orders', { predicates: [{ Version: { range: '2.x' } }] })
      @Get('second')
      second() {
        return 'second';
      }
      @GatewayRoute('/api/orders', { predicates: [{ Query: { name: 'preview' } }] })
      @Get('preview')
      preview() {
        return 'preview';
      }
    }
    const gateway = await shop(Orders);
    expect(await ask(gateway)).toBe('plain');
    expect(await ask(gateway, 'X-Beta: 1\r\n')).toBe('beta');
    expect(await ask(gateway, 'X-Beta: 2\r\n')).toBe('plain');
    expect(await ask(gateway, 'X-Api-Version: 2.3\r\n')).toBe('second');
    expect(await ask(gateway, '', '/api/orders?preview')).toBe('preview');
    const { route: taken } = gateway.app.get(GatewayRoutes).explain({
      method: 'GET',
      url: '/api/orders',
      headers: { 'x-beta': '1' },
    });
    expect(taken).toBe('orders#Orders.beta');
  });

  it('answers for the hosts it names only', async () => {
    @GatewayRoute('/api/orders', { host: ['shop.example', '*.shops.example'] })
    @Controller('orders')
    class Orders {
      @Get() list() {
        return 'here';
      }
    }
    const gateway = await shop(Orders);
    expect(await ask(gateway)).toBe('here');
    const other = await exchangeRaw(
      gateway.port,
      'GET /api/orders HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n',
    );
    expect(other).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('is refused at the gateway, with a sentence, where a name is not known there', async () => {
    @Controller('orders')
    class Orders {
      @GatewayRoute('/api/orders') @Get() list() {
        return 'good';
      }
      @GatewayRoute('/api/moon', { predicates: [{ MoonPhase: { phase: 'full' } }] })
      @Get('moon')
      moon() {
        return 'bad';
      }
    }
    const gateway = await shop(Orders);
    expect(await ask(gateway)).toBe('good');
    const refused = gateway.app.get(GatewayRoutes).refused().join('\n');
    expect(refused).toMatch(/MoonPhase.*not known/);
  });

  it.each([
    ['an expression', { predicates: [{ Header: { name: 'a', matches: '.*' } }] }, /'matches'/],
    ['a host that is none', { host: 'http://shop' }, /host 'http:\/\/shop'/],
  ])('stops the start of its service with %s', async (_what, options, sentence) => {
    @GatewayRoute('/api/orders', options)
    @Controller('orders')
    class Orders {
      @Get() list() {}
    }
    await expect(colony.start('orders', { controllers: [Orders] })).rejects.toThrow(sentence);
  });

  it('stops the start where two handlers ask for the same', async () => {
    const predicates = [asks('x-a', '1'), asks('x-b')];
    @Controller('orders')
    class Orders {
      @GatewayRoute('/api/orders', { predicates }) @Get('one') one() {}
      @GatewayRoute('/api/orders', { predicates: predicates.toReversed() }) @Get('two') two() {}
    }
    await expect(colony.start('orders', { controllers: [Orders] })).rejects.toThrow(/public twice/);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  Param,
  Post,
  Query,
  Req,
  Res,
  Sse,
} from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { concat, NEVER, of } from 'rxjs';
import { EventHub } from '../../lib/common/event-hub.js';
import { GatewayRoute } from '../../lib/discovery/manifest/gateway-route.decorator.js';
import { GatewayContributor } from '../../lib/gateway/gateway.contributor.js';
import { GatewayRoutes } from '../../lib/gateway/gateway-routes.js';
import { type RouteSnapshot, RouteSource } from '../../lib/gateway/routes/route-source.js';
import { eventually } from '../support/eventually.js';
import { ADAPTERS, NestColony } from './support/nest-colony.js';

let colony: NestColony;
beforeEach(() => {
  colony = new NestColony();
});
afterEach(() => colony.close());

@GatewayRoute('/api/orders')
@Controller('orders')
class Orders {
  @Get() list(@Query('q') q: string) {
    return { service: 'orders', q };
  }

  @Get('host') host(@Headers() headers: Record<string, string>) {
    return headers;
  }

  @Get(':id') find(@Param('id') id: string) {
    return { id };
  }

  @Post() create(@Body() body: object) {
    return { created: body };
  }

  @GatewayRoute(false) @Delete(':id') remove() {
    return { removed: true };
  }
}

@Controller('local')
class Local {
  @Get() hello() {
    return 'from the gateway itself';
  }

  @Post() parse(@Body() body: object) {
    return { parsed: body };
  }
}

const routesOf = async (
  gateway: { app: { get: (type: typeof GatewayRoutes) => GatewayRoutes } },
  count: number,
) => {
  const routes = gateway.app.get(GatewayRoutes);
  await eventually(() => expect(routes.list()).toHaveLength(count));
  return routes;
};
const json = async (url: string, init?: RequestInit) => (await fetch(url, init)).json();

describe.each(ADAPTERS)('a gateway on %s', (adapter) => {
  const start = (name: string, options: Parameters<NestColony['start']>[1] = {}) =>
    colony.start(name, { adapter, ...options });

  it('makes decorated controllers reachable, whoever was started first', async () => {
    const early = await start('gateway', { gateway: {} });
    expect((await fetch(`${early.url}/api/orders`)).status).toBe(404);
    await start('orders', { controllers: [Orders] });
    const late = await start('late', { gateway: {} });
    for (const gateway of [early, late]) {
      await routesOf(gateway, 4);
      expect(await json(`${gateway.url}/api/orders?q=a%20b`)).toEqual({
        service: 'orders',
        q: 'a b',
      });
      expect(await json(`${gateway.url}/api/orders/7`)).toEqual({ id: '7' });
    }
  });

  it('reaches nothing that is not decorated, or is hidden', async () => {
    await start('orders', { controllers: [Orders, Local] });
    const gateway = await start('gateway', { gateway: {} });
    await routesOf(gateway, 4);
    expect((await fetch(`${gateway.url}/api/orders/7`, { method: 'DELETE' })).status).toBe(404);
    expect((await fetch(`${gateway.url}/orders/7`)).status).toBe(404);
    expect((await fetch(`${gateway.url}/local`)).status).toBe(404);
  });

  it('leaves its own controllers to Nest, with their body parsers', async () => {
    await start('orders', { controllers: [Orders] });
    const gateway = await start('gateway', { gateway: {}, controllers: [Local] });
    await routesOf(gateway, 4);
    expect(await (await fetch(`${gateway.url}/local`)).text()).toBe('from the gateway itself');
    const init = {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    };
    expect(await json(`${gateway.url}/local`, init)).toEqual({ parsed: { a: 1 } });
    expect(await json(`${gateway.url}/api/orders`, init)).toEqual({ created: { a: 1 } });
  });

  it('passes bodies byte for byte, whatever they claim to be', async () => {
    @GatewayRoute('/echo')
    @Controller('echo')
    class Echo {
      @Post() echo(
        @Req() request: { raw?: IncomingMessage },
        @Res() response: { raw?: ServerResponse },
      ) {
        const incoming = request.raw ?? (request as unknown as IncomingMessage);
        incoming.pipe(response.raw ?? (response as unknown as ServerResponse));
      }
    }
    await start('echo', {
      controllers: [Echo],
      prepare: (app) => {
        if (adapter === 'express') return;
        // Fastify refuses types it has no parser for; this service takes all bytes as they come.
        const fastify = app.getHttpAdapter().getInstance() as {
          removeAllContentTypeParsers: () => void;
          addContentTypeParser: (type: string, parse: (...args: unknown[]) => void) => void;
        };
        fastify.removeAllContentTypeParsers();
        fastify.addContentTypeParser('*', (_request, _body, done) => (done as () => void)());
      },
    });
    const gateway = await start('gateway', { gateway: { limits: { body: 0 } } });
    await routesOf(gateway, 1);
    const bodies: [string, Buffer][] = [
      ['application/octet-stream', randomBytes(5 << 20)],
      ['application/octet-stream', Buffer.from([0, 255, 254, 13, 10, 13, 10])],
      ['text/x-odd; charset=nonsense', Buffer.from('caf\u00e9', 'latin1')],
    ];
    for (const [type, body] of bodies) {
      const answer = await fetch(`${gateway.url}/echo`, {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { 'content-type': type },
      });
      const echoed = Buffer.from(await answer.arrayBuffer());
      expect([echoed.length, sha(echoed)]).toEqual([body.length, sha(body)]);
    }
  });

  it('does not read JSON that only passes through', async () => {
    await start('orders', { controllers: [Orders] });
    const gateway = await start('gateway', { gateway: {} });
    await routesOf(gateway, 4);
    const answer = await fetch(`${gateway.url}/api/orders`, {
      method: 'POST',
      body: '{"broken":',
      headers: { 'content-type': 'application/json' },
    });
    // The service's own parser refuses it, in the service's own words.
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('lets the first event of a stream through at once', async () => {
    @GatewayRoute('/events')
    @Controller('events')
    class Events {
      @Sse() stream() {
        return concat(of({ data: 'first' }), NEVER);
      }
    }
    await start('events', { controllers: [Events] });
    const gateway = await start('gateway', { gateway: {} });
    await routesOf(gateway, 1);
    const aborter = new AbortController();
    const answer = await fetch(`${gateway.url}/events`, { signal: aborter.signal });
    let text = '';
    const reader = answer.body?.getReader();
    while (!text.includes('first')) text += new TextDecoder().decode((await reader?.read())?.value);
    aborter.abort();
    expect(answer.headers.get('content-type')).toMatch(/text\/event-stream/);
  });

  it('answers 503 with Retry-After while a service is away, and serves again when it is back', async () => {
    const orders = await start('orders', { controllers: [Orders] });
    const gateway = await start('gateway', { gateway: {} });
    await routesOf(gateway, 4);
    await colony.stop(orders);
    const answer = await fetch(`${gateway.url}/api/orders`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    await start('orders', { controllers: [Orders] });
    await eventually(async () =>
      expect((await fetch(`${gateway.url}/api/orders`)).status).toBe(200),
    );
  });
});

describe('a gateway', () => {
  it('tells the upstream of one trace, and of the client', async () => {
    await colony.start('orders', { controllers: [Orders] });
    const gateway = await colony.start('gateway', { gateway: {} });
    await routesOf(gateway, 4);
    const traceId = randomBytes(16).toString('hex');
    const headers = {
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      'x-correlation-id': 'lookup-7',
      'x-forwarded-for': '6.6.6.6',
    };
    const seen = (await json(`${gateway.url}/api/orders/host`, { headers })) as Record<
      string,
      string
    >;
    expect(seen['traceparent']).toMatch(
      new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
    );
    expect(seen).toMatchObject({
      'x-correlation-id': 'lookup-7',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': `127.0.0.1:${gateway.port}`,
      'x-forwarded-proto': 'http',
    });
  });

  it('serves explicit routes beside discovered ones, to services and to origins', async () => {
    const orders = await colony.start('orders', { controllers: [Orders] });
    const gateway = await colony.start('gateway', {
      gateway: {
        discovery: { enabled: false },
        routes: [
          { path: '/o/{*rest}', to: 'orders', rewrite: '/orders/{*rest}' },
          { path: '/direct{/*rest}', to: orders.url, stripPrefix: '/direct' },
          {
            id: 'named',
            path: '/by-host',
            host: 'shop.example.com',
            to: 'orders',
            rewrite: '/orders/9',
          },
        ],
      },
    });
    await eventually(async () => expect(await json(`${gateway.url}/o/7`)).toEqual({ id: '7' }));
    expect(await json(`${gateway.url}/direct/orders/8?x=1`)).toEqual({ id: '8' });
    expect((await fetch(`${gateway.url}/by-host`)).status).toBe(404);
    expect(gateway.app.get(GatewayRoutes).list()).toMatchObject([
      { id: '/o/{*rest}', source: 'explicit', to: 'orders' },
      { id: '/direct{/*rest}' },
      { id: 'named', hosts: ['shop.example.com'] },
    ]);
  });

  it('serves what a source made in code says, as long as it says it', async () => {
    const orders = await colony.start('orders', { controllers: [Orders] });
    const told: { next?: (snapshot: RouteSnapshot) => void } = {};
    class OwnSource extends RouteSource {
      override readonly name = 'own';
      override async *routes(): AsyncGenerator<RouteSnapshot> {
        yield {
          kind: 'explicit',
          routes: [{ path: '/one/:id', to: orders.url, rewrite: '/orders/:id' }],
        };
        yield await new Promise<RouteSnapshot>((resolve) => {
          told.next = resolve;
        });
        throw new Error('the source broke');
      }
    }
    const gateway = await colony.start('gateway', {
      gateway: { sources: [new OwnSource()], discovery: { enabled: false } },
    });
    expect(await json(`${gateway.url}/one/7`)).toEqual({ id: '7' });
    told.next?.({
      kind: 'explicit',
      routes: [{ path: '/two/:id', to: orders.url, rewrite: '/orders/:id' }],
    });
    await eventually(async () => expect(await json(`${gateway.url}/two/7`)).toEqual({ id: '7' }));
    expect((await fetch(`${gateway.url}/one/7`)).status).toBe(404);
  });

  it('never lets a service take what its own controllers answer', async () => {
    @GatewayRoute('/')
    @Controller()
    class Rogue {
      @Get('local') local() {
        return 'taken over';
      }
      @GatewayRoute('/.well-known/other') @Get('x') other() {
        return 'fine';
      }
      @GatewayRoute('/{*all}') @Get('{*all}') all() {
        return 'everything';
      }
    }
    await colony.start('rogue', { controllers: [Rogue] });
    const gateway = await colony.start('gateway', { gateway: {}, controllers: [Local] });
    await routesOf(gateway, 3);
    expect(await (await fetch(`${gateway.url}/local`)).text()).toBe('from the gateway itself');
    expect(await (await fetch(`${gateway.url}/local/`)).text()).toBe('from the gateway itself');
    expect(await (await fetch(`${gateway.url}/elsewhere`)).text()).toBe('everything');
  });

  it('gives a path that two services want to the first, and says so', async () => {
    @GatewayRoute('/api/orders')
    @Controller('things')
    class Imitation {
      @Get(':number') find() {
        return { service: 'imitation' };
      }
      @Get('x/y') own() {
        return { service: 'imitation', own: true };
      }
    }
    await colony.start('orders', { controllers: [Orders] });
    const gateway = await colony.start('gateway', { gateway: {} });
    const routes = await routesOf(gateway, 4);
    const told: unknown[] = [];
    gateway.app.get(EventHub).on('route.conflicted', ({ conflict }) => told.push(conflict));
    await colony.start('imitation', { controllers: [Imitation] });
    await routesOf(gateway, 5);
    expect(await json(`${gateway.url}/api/orders/7`)).toEqual({ id: '7' });
    expect(await json(`${gateway.url}/api/orders/x/y`)).toEqual({
      service: 'imitation',
      own: true,
    });
    const conflict = {
      route: 'imitation#Imitation.find',
      service: 'imitation',
      method: 'GET',
      path: '/api/orders/:number',
      owner: 'orders',
      ownerRoute: 'orders#Orders.find',
    };
    expect(routes.conflicts()).toEqual([conflict]);
    expect(told).toEqual([conflict]);
    expect(gateway.app.get(GatewayContributor, { strict: false }).check()).toEqual({
      status: 'degraded',
      details: { routes: 5, conflicts: [conflict] },
    });
  });

  it('gives a claimed path to nobody else, whoever came first', async () => {
    await colony.start('orders', { controllers: [Orders] });
    const gateway = await colony.start('gateway', {
      gateway: { discovery: { claims: { shop: ['/api/orders'] } } },
    });
    const routes = gateway.app.get(GatewayRoutes);
    await eventually(() => expect(routes.conflicts()).toHaveLength(4));
    expect(routes.conflicts()[0]).toMatchObject({ owner: 'shop', service: 'orders' });
    expect((await fetch(`${gateway.url}/api/orders`)).status).toBe(404);
  });

  it('sends a route only to the instances that have it, while a service is rolled out', async () => {
    @GatewayRoute('/api/orders')
    @Controller('orders')
    class NewOrders {
      @Get() list() {
        return { service: 'orders', build: 'new' };
      }
      @Get('brand/new') fresh() {
        return { fresh: true };
      }
    }
    const old = await colony.start('orders', { controllers: [Orders] });
    // In turn, so that both builds are seen.
    const upstream = { defaults: { strategy: 'round-robin' } } as const;
    const gateway = await colony.start('gateway', { gateway: {}, upstream });
    await routesOf(gateway, 4);
    await colony.start('orders', { controllers: [NewOrders] });
    await routesOf(gateway, 5);
    for (let n = 0; n < 20; n++) {
      expect(await json(`${gateway.url}/api/orders/brand/new`)).toEqual({ fresh: true });
      expect(await json(`${gateway.url}/api/orders/7`)).toEqual({ id: '7' });
    }
    const builds = new Set<string>();
    for (let n = 0; n < 40; n++)
      builds.add(JSON.stringify(await json(`${gateway.url}/api/orders`)));
    expect(builds.size).toBe(2);
    await colony.stop(old);
    await routesOf(gateway, 2);
    expect((await fetch(`${gateway.url}/api/orders/7`)).status).toBe(404);
  });

  it('swaps its table while requests run, and none is lost', async () => {
    await colony.start('orders', { controllers: [Orders] });
    const gateway = await colony.start('gateway', { gateway: {} });
    await routesOf(gateway, 4);
    const running = { still: true };
    const statuses = new Set<number>();
    const load = (async () => {
      while (running.still) statuses.add((await fetch(`${gateway.url}/api/orders/7`)).status);
    })();
    for (let n = 0; n < 4; n++) {
      @GatewayRoute(`/swap/${n}`)
      @Controller('swap')
      class Swap {
        @Get() get() {
          return {};
        }
      }
      const swap = await colony.start(`swap-${n}`, { controllers: [Swap] });
      await eventually(async () =>
        expect((await fetch(`${gateway.url}/swap/${n}`)).status).toBe(200),
      );
      await colony.stop(swap);
    }
    running.still = false;
    await load;
    expect([...statuses]).toEqual([200]);
  });

  it('fetches a manifest that is too large for the registry', async () => {
    const names = Array.from({ length: 400 }, () => randomBytes(24).toString('hex'));
    @GatewayRoute()
    @Controller('many')
    class Many {}
    for (const name of names) {
      const descriptor = { value: () => ({ name }) };
      Object.defineProperty(Many.prototype, `h${name}`, descriptor);
      Get(name)(Many.prototype, `h${name}`, descriptor);
    }
    await colony.start('many', { controllers: [Many] });
    const gateway = await colony.start('gateway', { gateway: {} });
    await routesOf(gateway, 400);
    expect(await json(`${gateway.url}/many/${names[7]}`)).toEqual({ name: names[7] });
    expect(gateway.app.get(GatewayRoutes).refused()).toEqual([]);
  });

  it('cancels the call when its client is gone, and hurts nobody', async () => {
    let closed = 0;
    @GatewayRoute('/slow')
    @Controller('slow')
    class Slow {
      @Get() slow(@Req() request: IncomingMessage) {
        request.socket.once('close', () => closed++);
        return new Promise(() => {});
      }
    }
    await colony.start('slow', { controllers: [Slow] });
    const gateway = await colony.start('gateway', { gateway: {} });
    await routesOf(gateway, 1);
    const request = httpRequest(`${gateway.url}/slow`);
    request.on('error', () => {});
    request.end();
    await once(request, 'socket');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(0);
    request.destroy();
    await eventually(() => expect(closed).toBe(1));
  });

  it('passes compressed answers as they are', async () => {
    const packed = gzipSync('hello '.repeat(1_000));
    @GatewayRoute('/packed')
    @Controller('packed')
    class Packed {
      @Get() get(@Res() response: ServerResponse) {
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length });
        response.end(packed);
      }
    }
    await colony.start('packed', { controllers: [Packed] });
    const gateway = await colony.start('gateway', { gateway: {} });
    await routesOf(gateway, 1);
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      httpRequest(`${gateway.url}/packed`, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(Buffer.concat(chunks)));
      })
        .on('error', reject)
        .end();
    });
    expect(gunzipSync(bytes).toString()).toBe('hello '.repeat(1_000));
  });

  it.each([
    [{ routes: [{ path: 'x', to: 'orders' }] }, /gateway\.routes\[0\]\.path is 'x'/],
    [
      { routes: [{ path: '/(x)', to: 'orders' }] },
      /The gateway's route '\/\(x\)' cannot be matched/,
    ],
    [{ routes: [{ path: '/x', to: 'Not A Service' }] }, /leads to 'Not A Service'/],
    [{ routes: [{ path: '/x', to: 'http://a/b' }] }, /leads to 'http:\/\/a\/b'/],
    [{ routes: [{ path: '/x', to: 'a', rewrite: '/:id' }] }, /lacks parameters/],
    [{ routes: [{ path: '/apix', to: 'a', stripPrefix: '/api' }] }, /does not begin with '\/api'/],
    [
      {
        routes: [
          { path: '/x', to: 'a' },
          { path: '/x/', to: 'b' },
        ],
      },
      /'\/x\/' answers the same requests as '\/x'/,
    ],
    [{ trustedProxies: ['10.0.0.0/99'] }, /gateway\.trustedProxies\[0\] is '10.0.0.0\/99'/],
    [{ timeOut: '1s' }, /gateway\.timeOut is not an option\. Did you mean "timeout"/],
  ])('refuses to start with %j', async (gateway, sentence) => {
    await expect(colony.start('gateway', { gateway: gateway as object })).rejects.toThrow(sentence);
  });
});

function sha(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

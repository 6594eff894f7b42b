import 'reflect-metadata';
import {
  All,
  Controller,
  Delete,
  Get,
  type INestApplication,
  Module,
  Post,
  type Type,
  Version,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { NestFactory, RouterModule } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CommonModule } from '../../../lib/common/common.module.js';
import { exposedRoutes } from '../../../lib/discovery/manifest/exposed-routes.js';
import { GatewayRoute } from '../../../lib/discovery/manifest/gateway-route.decorator.js';
import { RouteCollector } from '../../../lib/discovery/manifest/route-collector.js';

let app: INestApplication | undefined;
afterEach(() => app?.close());

async function start(
  root: Type,
  prepare: (app: INestApplication) => unknown = () => {},
): Promise<RouteCollector> {
  app = await NestFactory.create(root, { logger: false });
  prepare(app);
  await app.init();
  return app.get(RouteCollector);
}

function moduleOf(...controllers: Type[]): Type {
  @Module({ imports: [CommonModule], controllers, providers: [RouteCollector] })
  class Root {}
  return Root;
}

interface Layer {
  readonly route?: {
    readonly path: string;
    readonly stack: readonly { readonly method?: string; readonly name: string }[];
  };
}

/** What Express really answers to. */
function stackOf(): readonly string[] {
  const express = app?.getHttpAdapter().getInstance() as { router: { stack: readonly Layer[] } };
  return express.router.stack.flatMap(({ route }) => {
    // For what is excluded from the prefix Nest adds an answer for unknown paths, under no handler's name.
    if (!route?.stack.every(({ name }) => name.includes('.'))) return [];
    const methods = new Set(route.stack.map(({ method }) => method?.toUpperCase() ?? 'ALL'));
    const all = methods.size > 5 || methods.has('ALL');
    return (all ? ['ALL'] : [...methods]).map((method) => `${method} ${route.path}`);
  });
}

const collected = (collector: RouteCollector) =>
  collector.collect().map(({ method, path }) => `${method} ${path}`);

abstract class Crud {
  @Get('inherited/:id') inherited() {}
}

@Controller(['orders', 'purchases'])
class Orders extends Crud {
  @Get() list() {}
  @Get(['one/:id', 'single/:id']) one() {}
  @Post(':id/items/') add() {}
  @All('any') any() {}
  @Version('2') @Get('versioned') versioned() {}
  @Version(['3', VERSION_NEUTRAL]) @Get('either') either() {}
}

@Controller({ path: 'items', version: '1' })
class Items {
  @Get(':sku') find() {}
  @Delete() clear() {}
}

@Controller()
class Root {
  @Get() home() {}
  @Get('ping') ping() {}
}

@Module({ controllers: [Items] })
class ItemsModule {}

@Module({
  imports: [
    CommonModule,
    ItemsModule,
    RouterModule.register([{ path: 'stock/:region', module: ItemsModule }]),
  ],
  controllers: [Orders, Root],
  providers: [RouteCollector],
})
class AppModule {}

describe('the collected routes', () => {
  it.each<[string, (app: INestApplication) => unknown]>([
    ['plainly', () => {}],
    ['with a global prefix', (app) => app.setGlobalPrefix('api')],
    ['with an exclusion', (app) => app.setGlobalPrefix('/api/', { exclude: ['ping', 'orders'] })],
    ['with versions in the path', (app) => app.enableVersioning({ type: VersioningType.URI })],
    [
      'with prefix, versions and a default version',
      (app) => {
        app.setGlobalPrefix('api', { exclude: ['ping'] });
        app.enableVersioning({ type: VersioningType.URI, prefix: 'r', defaultVersion: ['7', '8'] });
      },
    ],
    [
      'with versions in a header',
      (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    ],
  ])('are those of the real router, %s', async (_how, prepare) => {
    const collector = await start(AppModule, prepare);
    expect(collected(collector).toSorted()).toEqual(stackOf().toSorted());
  });
});

const exposed = async (controller: Type, prepare?: (app: INestApplication) => unknown) => {
  const collector = await start(moduleOf(controller), prepare);
  return exposedRoutes('orders', collector.collect());
};
const lines = async (controller: Type, prepare?: (app: INestApplication) => unknown) =>
  (await exposed(controller, prepare)).map(({ method, path, to }) => `${method} ${path} > ${to}`);

const withUriVersions = (app: INestApplication) =>
  app.enableVersioning({ type: VersioningType.URI });
const prefixed = (app: INestApplication) => withUriVersions(app).setGlobalPrefix('internal');
const withHeaderVersions = (app: INestApplication) =>
  app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' });

describe('@GatewayRoute', () => {
  it('exposes nothing without it', async () => {
    expect(await lines(Root)).toEqual([]);
  });

  it('exposes a controller under the paths it has', async () => {
    @GatewayRoute()
    @Controller('orders')
    class C {
      @Get(':id') find() {}
      @Get('files/*') files() {}
      @GatewayRoute(false) @Delete(':id') remove() {}
    }
    expect(await lines(C, (app) => app.setGlobalPrefix('api'))).toEqual([
      'GET /api/orders/:id > /api/orders/:id',
      'GET /api/orders/files/{*path} > /api/orders/files/{*path}',
    ]);
  });

  it('puts the path of a controller in the place of its own prefix', async () => {
    @GatewayRoute('/shop/orders/')
    @Controller({ path: 'orders', version: '1' })
    class C {
      @Get() list() {}
      @Get(':id') find() {}
      @GatewayRoute('/stats/:kind') @Get('stats/:kind') stats() {}
    }
    expect(await lines(C, prefixed)).toEqual([
      'GET /shop/orders > /internal/v1/orders',
      'GET /shop/orders/:id > /internal/v1/orders/:id',
      'GET /stats/:kind > /internal/v1/orders/stats/:kind',
    ]);
  });

  it('merges the options of a handler over those of its controller', async () => {
    @GatewayRoute({ timeout: '2s', metadata: { owner: 'shop', tier: 1 } })
    @Controller('orders')
    class C {
      @GatewayRoute({ timeout: '5s', metadata: { tier: 2 } }) @Get() list() {}
      @GatewayRoute({ methods: ['get', 'PUT'] }) @All('any') any() {}
    }
    expect(await exposed(C)).toMatchObject([
      { id: 'orders#C.list', timeout: 5_000, metadata: { owner: 'shop', tier: 2 } },
      { id: 'orders#C.any', method: 'GET', timeout: 2_000 },
      { id: 'orders#C.any', method: 'PUT' },
    ]);
  });

  it('makes handlers that a version header tells apart one route', async () => {
    @GatewayRoute()
    @Controller('orders')
    class C {
      @Version('1') @Get() one() {}
      @Version('2') @Get() two() {}
    }
    expect(await lines(C, withHeaderVersions)).toEqual(['GET /orders > /orders']);
  });

  it('carries the host of a controller', async () => {
    @GatewayRoute()
    @Controller({ path: 'orders', host: 'admin.example.com' })
    class C {
      @Get() list() {}
    }
    expect(await exposed(C)).toMatchObject([{ hosts: ['admin.example.com'] }]);
  });

  it('stops the start where a path lacks a parameter, with the handler and the remedy', async () => {
    @Controller('orders')
    class C {
      @GatewayRoute('/o/:other') @Get(':id') find() {}
    }
    await expect(exposed(C)).rejects.toThrow(
      "C.find makes '/o/:other' public, which lacks ':id' of '/orders/:id'. Add ':id' to the public path.",
    );
  });

  it('stops the start where one path would lead to two handlers', async () => {
    @GatewayRoute('/o')
    @Controller('orders')
    class C {
      @Version('1') @Get(':id') one() {}
      @Version('2') @Get(':number') two() {}
    }
    await expect(exposed(C, withUriVersions)).rejects.toThrow(
      /C\.one answers at .* C\.two at .* Give one/,
    );
  });

  it('stops the start where a host or a timeout cannot be', async () => {
    @GatewayRoute()
    @Controller({ path: 'a', host: ':tenant.example.com' })
    class C {
      @Get() list() {}
    }
    @GatewayRoute({ timeout: 'soon' as '1s' })
    @Controller('b')
    class D {
      @Get() list() {}
    }
    await expect(exposed(C)).rejects.toThrow(/C\.list is bound to the host ':tenant.example.com'/);
    await app?.close();
    await expect(exposed(D)).rejects.toThrow(/D\.list has the timeout soon/);
  });
});

import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Logger,
  Param,
  Res,
  UseGuards,
  VersioningType,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ClientModule } from '../../../lib/client/client.module.js';
import type { ClientModuleOptions } from '../../../lib/client/client.options.js';
import type { ContractFeature } from '../../../lib/client/contract/contract-feature.js';
import type { Fallback } from '../../../lib/client/contract/contract-types.js';
import { remote } from '../../../lib/client/contract/remote.js';
import { ServiceContract } from '../../../lib/client/contract/service-contract.decorator.js';
import { RequestContext } from '../../../lib/common/request-context.js';
import {
  Asked,
  inventory,
  InventoryContract,
  modulesOf,
  portOf,
  startApp,
  StockController,
} from './shop.js';

const running: INestApplication[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const app of running.splice(0).toReversed()) await app.close();
});

async function start(...parameters: Parameters<typeof startApp>): Promise<INestApplication> {
  const app = await startApp(...parameters);
  running.push(app);
  return app;
}

interface Wish {
  readonly adapter?: unknown;
  readonly options?: ClientModuleOptions;
  readonly feature?: ContractFeature<InventoryContract>;
}

/** Inventory, and an application that calls it. */
async function shop({ adapter, options, feature = InventoryContract }: Wish = {}) {
  const service = await start(inventory(), adapter ?? new ExpressAdapter());
  const services = { inventory: [`http://127.0.0.1:${portOf(service)}`] };
  const caller = await start({
    imports: [...modulesOf('orders', services, options), ClientModule.forFeature([feature])],
  });
  return {
    client: caller.get(InventoryContract),
    asked: service.get(Asked).calls,
    context: caller.get(RequestContext),
    service,
  };
}

@Injectable()
class InventoryFallback implements Fallback<InventoryContract> {
  readonly causes: Error[] = [];
  find(cause: Error, sku: string) {
    this.causes.push(cause);
    return { sku, available: 0 };
  }
}

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
] as const)('a contract on %s', (_name, adapter) => {
  it('is the controller there and the client here', async () => {
    const { client } = await shop({ adapter: adapter() });
    expect(client).toBeInstanceOf(InventoryContract);
    expect(await client.find('apple')).toEqual({ sku: 'apple', available: 5 });
    expect(await client.find('a/b c?d')).toEqual({ sku: 'a/b c?d', available: 7 });
    expect(await client.many(['fig', 'pear'])).toHaveLength(2);
    expect(await client.order('fig', 3)).toEqual({ ordered: '3 fig' });
  });

  it('keeps pipes, status codes and guards of the controller', async () => {
    const { client, service } = await shop({ adapter: adapter() });
    expect(await client.reserve('fig', 7, { quantity: 2 }, 'birthday')).toEqual({
      sku: 'fig',
      order: 7,
      quantity: 2,
      reason: 'birthday',
    });
    const url = `http://127.0.0.1:${portOf(service)}/stock/fig/reservations`;
    expect((await fetch(`${url}/7`, { method: 'PUT' })).status).toBe(202);
    expect((await fetch(`${url}/x`, { method: 'PUT' })).status).toBe(400);
    await expect(client.find('gold')).rejects.toMatchObject({ remoteStatus: 403 });
  });
});

describe('a client of a contract', () => {
  it('tells of an error with service, route, status, trace and problem', async () => {
    const { client, context } = await shop();
    const scope = context.open({});
    const error = await context.run(scope, () =>
      client.find('none').catch((thrown: unknown) => thrown),
    );
    expect(error).toMatchObject({
      name: 'RemoteException',
      service: 'inventory',
      method: 'GET',
      route: '/stock/:sku',
      remoteStatus: 404,
      statusCode: 404,
      traceId: scope.trace.traceId,
      problem: { statusCode: 404, message: 'The shop has no none.' },
      message: '"inventory" answered 404 to GET /stock/:sku: The shop has no none.',
    });
  });

  it('asks its fallback when the service fails, and only then', async () => {
    const gone = await start({
      imports: [
        ...modulesOf('orders', { inventory: [] }),
        ClientModule.forFeature([{ contract: InventoryContract, fallback: InventoryFallback }]),
      ],
    });
    const client = gone.get(InventoryContract);
    expect(await client.find('fig')).toEqual({ sku: 'fig', available: 0 });
    expect(gone.get(InventoryFallback).causes).toMatchObject([{ code: 'ERR_NO_ENDPOINT' }]);
    await expect(client.many(['fig'])).rejects.toMatchObject({ code: 'ERR_NO_ENDPOINT' });
    const there = await shop({
      feature: { contract: InventoryContract, fallback: InventoryFallback },
    });
    await expect(there.client.find('none')).rejects.toMatchObject({ remoteStatus: 404 });
  });

  it('refuses an answer that the schema refuses, or warns once, or does not look', async () => {
    const strict = await shop({ options: { validate: 'error' } });
    await expect(strict.client.find('odd')).rejects.toMatchObject({
      code: 'ERR_INVALID_ANSWER',
      statusCode: 502,
      message: expect.stringMatching(
        /^"inventory" answered GET \/stock\/:sku with something else than its contract says: available: /,
      ),
    });
    const warned = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const lax = await shop();
    expect(await lax.client.find('odd')).toEqual({ sku: 'odd', available: 'many' });
    await lax.client.find('odd');
    expect(warned).toHaveBeenCalledTimes(1);
    const blind = await shop({ options: { validate: 'off' } });
    expect(await blind.client.find('odd')).toEqual({ sku: 'odd', available: 'many' });
    expect(warned).toHaveBeenCalledTimes(1);
  });

  it('makes a loop of single questions one question', async () => {
    const { client, asked } = await shop({
      feature: {
        contract: InventoryContract,
        batch: { find: { load: (stock, skus) => stock.many(skus), key: ({ sku }) => sku, max: 3 } },
      },
    });
    const skus = ['fig', 'pear', 'fig', 'plum', 'lemon'];
    const items = await Promise.all(skus.map((sku) => client.find(sku)));
    expect(items.map(({ sku }) => sku)).toEqual(skus);
    expect(asked.toSorted()).toEqual(['many fig,pear,plum', 'many lemon']);
    await expect(Promise.all([client.find('none'), client.find('fig')])).rejects.toMatchObject({
      code: 'ERR_NOT_IN_BATCH',
      statusCode: 404,
    });
    expect(await client.find('fig', { timeout: '1s' })).toMatchObject({ sku: 'fig' });
    expect(asked.at(-1)).toBe('find fig');
  });

  it('refuses a call without what its path needs', async () => {
    const { client } = await shop();
    await expect(client.find('')).rejects.toThrow(/empty text for ":sku"/);
    await expect(client.find(undefined as unknown as string)).rejects.toThrow(
      /undefined for ":sku"/,
    );
    await expect(client.find('..')).rejects.toMatchObject({ code: 'ERR_INVALID_REQUEST' });
  });

  it('takes time limit, signal, headers and key of one call', async () => {
    const { client } = await shop();
    const given = new AbortController();
    given.abort();
    await expect(client.find('fig', { signal: given.signal })).rejects.toMatchObject({
      code: 'ERR_CALL_CANCELLED',
    });
    await expect(client.find('fig', { headers: { host: 'x' } })).rejects.toMatchObject({
      code: 'ERR_INVALID_REQUEST',
    });
  });
});

describe('versions and prefixes', () => {
  @ServiceContract('clocks', { path: 'time', version: '2', prefix: 'api' })
  abstract class ClockContract {
    @Get(':zone')
    now(@Param('zone') zone: string): Promise<{ zone: string }> {
      return remote(zone);
    }
  }
  @Controller()
  class ClockController extends ClockContract {
    override async now(zone: string) {
      return { zone };
    }
  }
  const service = (prepare?: (app: INestApplication) => void) =>
    start(
      { imports: modulesOf('clocks', {}), controllers: [ClockController] },
      new ExpressAdapter(),
      prepare,
    );

  it('are where the contract says', async () => {
    const app = await service((made) => {
      made.setGlobalPrefix('api');
      made.enableVersioning({ type: VersioningType.URI });
    });
    const services = { clocks: [`http://127.0.0.1:${portOf(app)}`] };
    const caller = await start({
      imports: [...modulesOf('orders', services), ClientModule.forFeature([ClockContract])],
    });
    expect(await caller.get(ClockContract).now('utc')).toEqual({ zone: 'utc' });
    expect((await fetch(`http://127.0.0.1:${portOf(app)}/api/v2/time/utc`)).status).toBe(200);
  });

  it('stop the start where they are not', async () => {
    await expect(service((made) => made.setGlobalPrefix('api'))).rejects.toThrow(
      'ClockController.now answers at /api/time/:zone, but ClockContract says /api/v2/time/:zone. Give @ServiceContract the prefix and the version of the application, or the application those of the contract.',
    );
  });

  it('can be told by a header', async () => {
    @ServiceContract('clocks', {
      path: 'time',
      version: '2',
      versioning: { type: 'header', header: 'x-version' },
    })
    abstract class Contract {
      @Get()
      now(): Promise<string> {
        return remote();
      }
    }
    @Controller()
    class TimeController extends Contract {
      override async now() {
        return 'noon';
      }
    }
    const app = await start(
      { imports: modulesOf('clocks', {}), controllers: [TimeController] },
      new ExpressAdapter(),
      (made) => made.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    );
    const caller = await start({
      imports: [
        ...modulesOf('orders', { clocks: [`http://127.0.0.1:${portOf(app)}`] }),
        ClientModule.forFeature([Contract]),
      ],
    });
    expect(await caller.get(Contract).now()).toBe('noon');
    expect((await fetch(`http://127.0.0.1:${portOf(app)}/time`)).status).toBe(404);
  });
});

const boot = (controller: unknown) =>
  start({ ...inventory(), controllers: [controller as typeof StockController] });

describe('a contract that is not kept', () => {
  it('stops the start when a method is missing', async () => {
    @Controller()
    class Incomplete extends InventoryContract {
      override async find(sku: string) {
        return { sku, available: 0 };
      }
    }
    await expect(boot(Incomplete)).rejects.toThrow(
      'Incomplete extends InventoryContract, but has no method "many" (GET /stock). Write it, or take it out of InventoryContract.',
    );
  });

  it('stops the start when a route is another', async () => {
    @Controller()
    class Elsewhere extends StockController {
      @Get('by-name/:sku')
      override async find(@Param('sku') sku: string) {
        return { sku, available: 0 };
      }
    }
    await expect(boot(Elsewhere)).rejects.toThrow(
      `Elsewhere extends InventoryContract and gives "find" another route than GET ':sku'. Leave the decorator out`,
    );
    @Controller('shelf')
    class Moved extends StockController {}
    await expect(boot(Moved)).rejects.toThrow(
      "Moved has the path 'shelf', but InventoryContract says 'stock'. Write @Controller() without a path",
    );
  });

  it('stops the start when a guard would be lost', async () => {
    class Guard {
      canActivate() {
        return false;
      }
    }
    @ServiceContract('inventory', 'stock')
    abstract class Guarded {
      @Get()
      @UseGuards(Guard)
      all(): Promise<string> {
        return remote();
      }
    }
    @Controller()
    class Open extends Guarded {
      override async all() {
        return 'secret';
      }
    }
    await expect(boot(Open)).rejects.toThrow(
      'Open extends Guarded, whose method "all" has @UseGuards, which would be lost. Write @UseGuards at Open.',
    );
  });

  it.each([
    ['no contract', class Plain {}, 'Plain is no contract. Give it @ServiceContract'],
    ['no methods', ServiceContractOf(class Empty {}), 'Empty has no methods to call'],
  ])('stops the start of a caller with %s', async (_name, contract, sentence) => {
    const feature = ClientModule.forFeature([contract as unknown as typeof InventoryContract]);
    await expect(start({ imports: [...modulesOf('orders', {}), feature] })).rejects.toThrow(
      sentence,
    );
  });

  it('stops the start of a caller whose contract no client can fulfil', async () => {
    abstract class Wild {
      @Get('files/*path')
      file(): Promise<string> {
        return remote();
      }
    }
    abstract class Answering {
      @Get(':id')
      file(@Param('id') id: string, @Res() answer: unknown): Promise<string> {
        return remote(id, answer);
      }
    }
    abstract class Forgetful {
      @Get(':id')
      file(): Promise<string> {
        return remote();
      }
    }
    for (const [contract, sentence] of [
      [Wild, "Wild.file has the path 'files/*path', which a client cannot fill."],
      [Answering, 'Answering.file has a parameter with @Res, which no client can give.'],
      [
        Forgetful,
        'Forgetful.file has no parameter for ":id" in /:id. Give it one with @Param(\'id\').',
      ],
    ] as const) {
      ServiceContractOf(contract);
      const feature = ClientModule.forFeature([contract as unknown as typeof InventoryContract]);
      await expect(start({ imports: [...modulesOf('orders', {}), feature] })).rejects.toThrow(
        sentence,
      );
    }
  });

  it('says so when a method runs that is nobody’s', () => {
    class Impostor extends InventoryContract {}
    expect(() => void new Impostor().find('fig')).toThrow(/Inject the contract/);
  });
});

function ServiceContractOf<T extends abstract new () => unknown>(type: T): T {
  ServiceContract('files')(type);
  return type;
}

describe('the types of a contract', () => {
  it('are checked on both sides', () => {
    class Wrong extends InventoryContract {
      // @ts-expect-error -- a controller cannot answer something else than its contract says
      override async find(sku: string): Promise<{ sku: string }> {
        return { sku };
      }
    }
    class WrongFallback implements Fallback<InventoryContract> {
      // @ts-expect-error -- a fallback cannot either
      find(_cause: Error, sku: string) {
        return { sku };
      }
    }
    expect([Wrong, WrongFallback]).toHaveLength(2);
  });
});

import { Controller, Get, type INestApplication, Module, Param } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { ClientModule } from '../../lib/client/client.module.js';
import { RookeryModule } from '../../lib/rookery.module.js';
import { ServiceClient } from '../../lib/client/service-client.js';
import { faultyUpstream } from '../../lib/testing/faulty-upstream.js';
import { mockClient } from '../../lib/testing/mock-client.js';
import { createTestCluster } from '../../lib/testing/test-cluster.js';
import { verifyContract } from '../../lib/testing/verify-contract.js';
import { staticInstances } from '../../lib/discovery/backends/static.backend.js';
import { Asked, InventoryContract, StockController } from '../client/contract/shop.js';

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

@Module({
  imports: [RookeryModule.forRoot({ name: 'inventory', config: false })],
  controllers: [StockController],
  providers: [Asked],
})
class InventoryModule {}

@Controller('orders')
class OrdersController {
  constructor(private readonly inventory: InventoryContract) {}
  @Get(':sku')
  async find(@Param('sku') sku: string) {
    return { stock: await this.inventory.find(sku) };
  }
}

@Module({
  imports: [
    RookeryModule.forRoot({ name: 'orders', config: false }),
    ClientModule.forFeature([InventoryContract]),
  ],
  controllers: [OrdersController],
})
class OrdersModule {}

describe('createTestCluster', () => {
  it('runs services that call each other, with their own modules, and closes them together', async () => {
    const cluster = await createTestCluster({
      orders: OrdersModule,
      inventory: { module: InventoryModule, instances: 2 },
    });
    opened.push(() => cluster.close());
    const ask = async () => {
      const answer = await fetch(`${await cluster.url('orders')}/orders/fig`);
      return (await answer.json()) as unknown;
    };
    for (let n = 0; n < 10; n++)
      expect(await ask()).toEqual({ stock: { sku: 'fig', available: 3 } });
    const both = cluster.apps('inventory').map((app) => app.get(Asked).calls.length);
    expect(Math.min(...both)).toBeGreaterThan(0);
    const third = await cluster.start('inventory');
    await cluster.stop(cluster.app('inventory'));
    await cluster.stop(cluster.app('inventory'));
    expect(cluster.apps('inventory')).toEqual([third]);
    await ask();
    expect(third.get(Asked).calls).toContain('find fig');
  });

  it('keeps two clusters apart, and replaces providers', async () => {
    const inventory = mockClient(InventoryContract, {
      find: async (sku) => ({ sku, available: 99 }),
    });
    const overrides = new Map<unknown, unknown>([[InventoryContract, inventory]]);
    const [one, other] = await Promise.all([
      createTestCluster({ orders: { module: OrdersModule, overrides } }),
      createTestCluster({ inventory: InventoryModule }),
    ]);
    opened.push(
      () => one.close(),
      () => other.close(),
    );
    const answer = await fetch(`${await one.url('orders')}/orders/fig`);
    expect(await answer.json()).toEqual({ stock: { sku: 'fig', available: 99 } });
    expect(() => one.app('inventory')).toThrow(
      'No instance of "inventory" runs in this cluster. It has orders.',
    );
    await expect(one.start('inventory')).rejects.toThrow('has no service "inventory"');
  });

  it('closes what had started when something cannot', async () => {
    @Module({
      providers: [{ provide: 'broken', useFactory: () => Promise.reject(new Error('no disk')) }],
    })
    class BrokenModule {}
    await expect(
      createTestCluster({ inventory: InventoryModule, broken: BrokenModule }),
    ).rejects.toThrow('no disk');
  });
});

describe('mockClient', () => {
  it('does what it is told, and says what it is not told', async () => {
    const inventory = mockClient(InventoryContract, { many: async () => [] });
    expect(inventory).toBeInstanceOf(InventoryContract);
    expect(await inventory.many(['fig'])).toEqual([]);
    await expect(inventory.find('fig')).rejects.toThrow(
      'InventoryContract.find was called, but mockClient was not told what it does.',
    );
    // @ts-expect-error -- it must answer as the contract says
    mockClient(InventoryContract, { find: async () => 7 });
    expect(() => mockClient(class Plain {})).toThrow('Plain is no contract');
  });
});

describe('verifyContract', () => {
  const start = async (): Promise<INestApplication> => {
    const cluster = await createTestCluster({ inventory: InventoryModule });
    opened.push(() => cluster.close());
    return cluster.app('inventory');
  };

  it('is content with a service that keeps its contract', async () => {
    const app = await start();
    const report = await verifyContract(InventoryContract, app, {
      find: ['fig'],
      many: [['fig', 'pear']],
      reserve: ['fig', 7, { quantity: 1 }],
    });
    expect(report).toEqual({ called: ['find', 'many', 'reserve'], skipped: ['order'] });
    expect(
      await verifyContract(InventoryContract, await app.getUrl(), { find: ['fig'] }),
    ).toMatchObject({
      called: ['find'],
    });
  });

  it('names every method that is not kept', async () => {
    const app = await start();
    const examples = { find: ['odd'], reserve: ['fig', Number.NaN, { quantity: 1 }] } as const;
    await expect(
      verifyContract(InventoryContract, app, {
        find: [...examples.find],
        reserve: [...examples.reserve],
      }),
    ).rejects.toThrow(
      /^InventoryContract is not kept:\n- find \(GET \/stock\/:sku\) was answered with something else than it says: .*\n- reserve \(PUT \/stock\/:sku\/reservations\/:order\) was answered 400: /,
    );
    await expect(
      verifyContract(InventoryContract, 'http://127.0.0.1:1', { find: ['a'] }),
    ).rejects.toThrow(/could not be called/);
  });
});

describe('faultyUpstream', () => {
  it('fails as it is told, also while it runs', async () => {
    const upstream = await faultyUpstream();
    const module = await Test.createTestingModule({
      imports: [
        RookeryModule.forRoot({
          name: 'orders',
          config: false,
          discovery: { backend: staticInstances({ inventory: [upstream.url] }) },
          upstreams: { defaults: { circuit: false, outlier: false, retry: false } },
        }),
      ],
    }).compile();
    opened.push(
      () => upstream.close(),
      () => module.close(),
    );
    const client = module.get(ServiceClient);
    const ask = () =>
      client.get('inventory', '/', { timeout: '150ms' }).then(
        (value) => value,
        (error: { code: string }) => error.code,
      );
    expect(await ask()).toEqual({ ok: true });
    for (const [fault, outcome] of [
      ['reset', 'ERR_UPSTREAM_CONNECTION'],
      ['blackhole', 'ERR_UPSTREAM_TIMEOUT'],
      ['wrong-framing', 'ERR_UPSTREAM_PROTOCOL'],
      ['truncated', 'ERR_UPSTREAM_CONNECTION'],
      [{ status: 503 }, 'ERR_REMOTE'],
      [{ slow: '5s' }, 'ERR_UPSTREAM_TIMEOUT'],
      ['refuse', 'ERR_UPSTREAM_CONNECTION'],
      ['none', { ok: true }],
      [{ slow: '10ms' }, { ok: true }],
    ] as const) {
      await upstream.become(fault);
      expect([fault, await ask()]).toEqual([fault, outcome]);
    }
    expect(upstream.requests).toBeGreaterThanOrEqual(8);
  });
});

import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caller } from './caller.js';
import type { Shop } from './shop.js';
import { until } from './until.js';

type Tell = (line: string) => void;

/** Checks what the README promises; throws at the first promise that is broken. */
export async function smoke(shop: Shop, tell: Tell): Promise<void> {
  const caller = new Caller(shop.url);
  const checks = { orderIsServed, instancesDie, configurationChanges, inventoryDies, registryDies };
  for (const [name, check] of Object.entries(checks)) {
    const begin = performance.now();
    const figure = await check(shop, caller);
    if (figure) tell(`ok  ${name}: ${figure} (${Math.round(performance.now() - begin)} ms)`);
  }
}

/** An order goes through gateway, orders, inventory and payments, under one correlation id. */
async function orderIsServed(shop: Shop, caller: Caller): Promise<string> {
  const before = await caller.stockOf('apple');
  const correlationId = `smoke-${process.pid}`;
  const order = await caller.order(
    { sku: 'apple', quantity: 2 },
    { 'x-correlation-id': correlationId },
  );
  assert.equal(order.status, 'placed');
  await until(
    'payments has handled the event',
    async () => (await caller.get(`/api/payments/${order.id}`)).ok,
  );
  await until(
    'orders has heard of the payment',
    async () => (await caller.orderOf(order.id)).status === 'paid',
  );
  assert.equal(await caller.stockOf('apple'), before - 2);
  const served = await Promise.all([1, 2, 3, 4, 5, 6].map(() => caller.servedBy()));
  assert.equal(new Set(served).size, 2, 'both instances answer in turn');
  const health = (await (await caller.get('/health/orders')).json()) as Record<string, unknown>;
  assert.equal(health['service'], 'orders');
  assert.equal(health['status'], 'up');
  assert.ok(!Number.isNaN(Date.parse(String(health['timestamp']))));
  await until('the correlation id is in every log', () =>
    [/gateway/, /orders-[12]/, /inventory/, /payments/].every((name) =>
      shop
        .all()
        .some((each) => name.test(each.name) && readLog(shop, each.name).includes(correlationId)),
    ),
  );
  return 'placed, reserved, paid, one correlation id in four logs';
}

/** An instance is killed, and another one leaves, under load. */
async function instancesDie(shop: Shop, caller: Caller): Promise<string> {
  const killed = await caller.load(() => shop.get('orders-1').end('SIGKILL'));
  shop.get('orders-1').start();
  await shop.untilServing();
  const left = await caller.load(() => shop.get('orders-2').end('SIGTERM'));
  shop.get('orders-2').start();
  await shop.untilServing();
  assert.deepEqual([killed.failed, left.failed], [0, 0]);
  return `${killed.total} GETs with kill -9: 0 failed, ${left.total} with kill -TERM: 0 failed`;
}

/** A value changes in its file; then the configuration server goes away. */
async function configurationChanges(shop: Shop, caller: Caller): Promise<string> {
  const file = join(shop.options.config, 'orders.yml');
  const banner = `Changed by ${process.pid}`;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/banner: .*/, `banner: ${banner}`));
  const begin = performance.now();
  const everywhere = () => caller.everyInstanceSays((answer) => answer.banner === banner);
  await until('every instance answers with the new value', everywhere, 2_000);
  const took = Math.round(performance.now() - begin);
  await shop.get('config-server').end('SIGTERM');
  assert.ok(await everywhere(), 'the value stays when the server is gone');
  await shop.get('orders-1').end('SIGTERM');
  shop.get('orders-1').start();
  await shop.untilServing();
  assert.ok(
    /No configuration from .* starts with local values/.test(readLog(shop, 'orders-1')),
    'it says why it starts without configuration',
  );
  shop.get('config-server').start();
  await until('the new instance has the value too', everywhere);
  return `live after ${took} ms, kept without the server, started without the server`;
}

/** Inventory goes away and comes back. */
async function inventoryDies(shop: Shop, caller: Caller): Promise<string> {
  await shop.get('inventory').end('SIGTERM');
  const order = { sku: 'pear', quantity: 1 };
  await until('the circuit of inventory is open', async () => {
    assert.equal((await caller.order(order)).status, 'awaiting-stock');
    return (await caller.circuits(shop)).includes('open');
  });
  await until('the gateway sees that orders is degraded', async () => {
    const health = (await (await caller.get('/health/orders')).json()) as { status: string };
    return health.status === 'degraded';
  });
  shop.get('inventory').start();
  await until('orders are placed again and every circuit is closed', async () => {
    const { status } = await caller.order(order);
    return (
      status === 'placed' && (await caller.circuits(shop)).every((state) => state === 'closed')
    );
  });
  return 'fallback, circuit opened, circuit closed';
}

/** The registry is killed and comes back empty. */
async function registryDies(shop: Shop, caller: Caller): Promise<string | undefined> {
  const { agent } = shop;
  if (!agent) return undefined;
  let took = 0;
  const { failed, total } = await caller.load(async () => {
    await agent.kill();
    await agent.start();
    const begin = performance.now();
    await until('everyone is registered again', async () => (await agent.instances()) === 6, 5_000);
    took = Math.round(performance.now() - begin);
  });
  assert.equal(failed, 0);
  return `${total} GETs: 0 failed, everyone registered again after ${took} ms`;
}

function readLog(shop: Shop, name: string): string {
  return readFileSync(join(shop.options.directory, 'logs', `${name}.log`), 'utf8');
}

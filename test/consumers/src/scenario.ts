import { strict as assert } from 'node:assert';
import type { INestApplication } from '@nestjs/common';
import { Caller } from './app.module.js';

/** A service behind a gateway, found, called, and closed while it answers. */
export async function scenario(orders: INestApplication, gateway: INestApplication) {
  try {
    await play(orders, gateway);
  } finally {
    await orders.close();
    await gateway.close();
  }
}

async function play(orders: INestApplication, gateway: INestApplication) {
  await orders.listen(0, '127.0.0.1');
  await gateway.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${gateway.getHttpServer().address().port}`;

  same(await patiently(`${url}/api/orders/7`), { id: '7', banner: 'Open', same: 'Open' });
  same(await gateway.get(Caller).find('8'), { id: '8', banner: 'Open', same: 'Open' });
  same((await fetch(`${url}/health/orders`)).status, 200);
  same((await fetch(`${url}/nothing`)).status, 404);

  const slow = fetch(`${url}/api/orders/9/slowly`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await orders.close();
  // The database is destroyed by Nest only after the request was answered.
  same(await (await slow).json(), { id: '9', database: true });
  // The route is known, its service has left.
  same((await fetch(`${url}/api/orders/7`)).status, 503);
}

/** By value: a test runner's objects have other prototypes than those that `fetch` makes. */
function same(actual: unknown, expected: unknown) {
  assert.equal(JSON.stringify(actual), JSON.stringify(expected));
}

/** The gateway hears of the service a moment after it listens. */
async function patiently(url: string): Promise<unknown> {
  for (let tries = 0; ; tries++) {
    const response = await fetch(url);
    if (response.ok || tries > 200) return response.json();
    await response.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

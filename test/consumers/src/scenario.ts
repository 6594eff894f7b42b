import { strict as assert } from 'node:assert';
import type { INestApplication } from '@nestjs/common';
import { Caller } from './app.module.js';

/** A service behind a gateway, found, called, and closed while it answers. */
export async function scenario(orders: INestApplication, gateway: INestApplication) {
  await orders.listen(0, '127.0.0.1');
  await gateway.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${gateway.getHttpServer().address().port}`;

  const answer = await patiently(`${url}/api/orders/7`);
  assert.deepEqual(answer, { id: '7', banner: 'Open', same: 'Open' });
  assert.deepEqual(await gateway.get(Caller).find('8'), { id: '8', banner: 'Open', same: 'Open' });
  assert.equal((await fetch(`${url}/health/orders`)).status, 200);
  assert.equal((await fetch(`${url}/nothing`)).status, 404);

  const slow = fetch(`${url}/api/orders/9/slowly`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await orders.close();
  assert.deepEqual(
    await (await slow).json(),
    { id: '9', database: true },
    'the database outlives the request',
  );
  assert.equal(
    (await fetch(`${url}/api/orders/7`)).status,
    404,
    'the route has gone with its service',
  );
  await gateway.close();
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

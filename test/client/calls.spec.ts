import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { ClientModule } from '../../lib/client/client.module.js';
import { readClientOptions, type ClientModuleOptions } from '../../lib/client/client.options.js';
import { ServiceClient } from '../../lib/client/service-client.js';
import { Clock } from '../../lib/common/clock.js';
import { RequestContext } from '../../lib/common/request-context.js';
import { staticInstances } from '../../lib/discovery/backends/static.backend.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { UpstreamModule } from '../../lib/upstream/upstream.module.js';
import { eventually } from '../support/eventually.js';

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** A service that tells what it was asked, and an application that asks it. */
async function start(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: ClientModuleOptions = {},
) {
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  opened.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => server.closeAllConnections(),
  );
  const { port } = server.address() as AddressInfo;
  const backend = staticInstances({
    inventory: [`http://127.0.0.1:${port}`, `http://127.0.0.2:${port}`],
  });
  @Module({
    imports: [
      DiscoveryModule.forRoot({ name: 'orders', backend }),
      UpstreamModule.forRoot({ defaults: { circuit: false, outlier: false } }),
      ClientModule.forRoot(options),
    ],
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  opened.push(() => app.close());
  return {
    client: app.get(ServiceClient),
    context: app.get(RequestContext),
    clock: app.get(Clock),
    asked,
  };
}

const json = (response: ServerResponse, value: unknown, headers = {}) =>
  response
    .writeHead(200, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(value));

describe('ServiceClient.fetch', () => {
  it('gives the answer as it comes, whatever its status', async () => {
    const { client } = await start((request, response) => {
      response.writeHead(request.method === 'DELETE' ? 418 : 200, { 'x-kind': 'tea' });
      response.write('{"a"');
      setImmediate(() => response.end(':1}'));
    });
    const answer = await client.fetch('http://inventory/tea?hot=1', { query: { sugar: 2 } });
    expect(answer).toMatchObject({ status: 200, ok: true, headers: { 'x-kind': 'tea' } });
    expect(await answer.json()).toEqual({ a: 1 });
    const other = await client.fetch('http://inventory', { method: 'delete' });
    expect(other.status).toBe(418);
    expect((await other.bytes()).toString()).toBe('{"a":1}');
    let text = '';
    for await (const chunk of (await client.fetch('http://inventory/')).body) text += String(chunk);
    expect(text).toBe('{"a":1}');
  });

  it.each(['inventory/tea', 'https://inventory/tea', '/tea', 'http://'])(
    'refuses %j',
    async (url) => {
      const { client } = await start(() => {});
      await expect(client.fetch(url)).rejects.toMatchObject({ code: 'ERR_INVALID_REQUEST' });
    },
  );
});

describe('identical reads under way', () => {
  it('are one call', async () => {
    const held: ServerResponse[] = [];
    const { client, asked } = await start((_request, response) => held.push(response));
    const calls = [1, 2, 3].map(() => client.get('inventory', '/tea'));
    const others = [
      client.get('inventory', '/tea?hot=1'),
      client.get('inventory', '/tea', { headers: { 'x-user': 'b' } }),
      client.get('inventory', '/tea', { coalesce: false }),
      client.post('inventory', '/tea'),
    ];
    await eventually(() => expect(held).toHaveLength(5));
    for (const response of held) json(response, { n: 1 });
    const answers = await Promise.all(calls);
    expect(answers).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect(answers[0]).not.toBe(answers[1]);
    await Promise.all(others);
    expect(asked).toHaveLength(5);
  });

  it('are not joined by whoever has written meanwhile', async () => {
    const held: ServerResponse[] = [];
    const { client } = await start((request, response) =>
      request.method === 'GET' ? held.push(response) : response.end(),
    );
    const before = client.get('inventory', '/tea');
    await eventually(() => expect(held).toHaveLength(1));
    await client.put('inventory', '/tea');
    const after = client.get('inventory', '/tea');
    await eventually(() => expect(held).toHaveLength(2));
    held.forEach((response, n) => json(response, n));
    expect(await Promise.all([before, after])).toEqual([0, 1]);
  });

  it('end for each caller when its own patience ends, and for no other', async () => {
    const held: ServerResponse[] = [];
    const { client } = await start((_request, response) => held.push(response));
    const leader = new AbortController();
    const given = client.get('inventory', '/tea', { signal: leader.signal });
    await eventually(() => expect(held).toHaveLength(1));
    const short = client.get('inventory', '/tea', { timeout: 30 });
    const patient = client.get('inventory', '/tea');
    await expect(short).rejects.toMatchObject({ code: 'ERR_UPSTREAM_TIMEOUT' });
    leader.abort();
    await expect(given).rejects.toMatchObject({ code: 'ERR_CALL_CANCELLED' });
    await eventually(() => expect(held).toHaveLength(2));
    json(held[1] as ServerResponse, 'here');
    expect(await patient).toBe('here');
  });

  it('share an error too', async () => {
    const { client, asked } = await start((_request, response) => response.writeHead(500).end());
    const outcomes = await Promise.allSettled([1, 2].map(() => client.get('inventory', '/')));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked).toHaveLength(1);
  });
});

const fresh = { 'cache-control': 'max-age=60' };
const answerFresh = (_request: IncomingMessage, response: ServerResponse) =>
  json(response, {}, fresh);

describe('the cache of the client', () => {
  it('keeps what Cache-Control lets it keep, and is off by default', async () => {
    const answer = answerFresh;
    const kept = await start(answer, { cache: true });
    for (let n = 0; n < 3; n++) await kept.client.get('inventory', '/tea');
    expect(kept.asked).toHaveLength(1);
    await kept.client.get('inventory', '/tea', { cache: false });
    await kept.client.get('inventory', '/tea', { headers: { 'x-user': 'b' } });
    expect(kept.asked).toHaveLength(3);
    const off = await start(answer);
    for (let n = 0; n < 3; n++) await off.client.get('inventory', '/tea');
    expect(off.asked).toHaveLength(3);
  });

  it.each([['private, max-age=60'], ['no-store'], ['max-age=0']])(
    'does not keep %s',
    async (value) => {
      const { client, asked } = await start(
        (_request, response) => json(response, {}, { 'cache-control': value }),
        { cache: true },
      );
      for (let n = 0; n < 2; n++) await client.get('inventory', '/tea');
      expect(asked).toHaveLength(2);
    },
  );

  it('asks whether what is no longer fresh still holds', async () => {
    const { client, asked } = await start(
      (request, response) => {
        const headers = { 'cache-control': 'no-cache', etag: '"7"' };
        if (request.headers['if-none-match'] === '"7"') response.writeHead(304, headers).end();
        else json(response, { tea: 'green' }, headers);
      },
      { cache: true },
    );
    for (let n = 0; n < 3; n++) {
      expect(await client.get('inventory', '/tea')).toEqual({ tea: 'green' });
    }
    expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"7"', '"7"']);
  });

  it('forgets a path that is written', async () => {
    const { client, asked } = await start((_request, response) => json(response, {}, fresh), {
      cache: true,
    });
    await client.get('inventory', '/tea/7?x=1');
    await client.get('inventory', '/tea/70');
    await client.delete('inventory', '/tea/7');
    await client.get('inventory', '/tea/7?x=1');
    await client.get('inventory', '/tea/70');
    expect(asked).toHaveLength(4);
  });

  it('keeps no more than it may', async () => {
    const { client, asked } = await start(
      (_request, response) => json(response, 'x'.repeat(1_000), fresh),
      { cache: { bytes: 4_000 } },
    );
    for (const path of ['/1', '/2', '/1', '/3', '/1', '/2']) await client.get('inventory', path);
    expect(asked.map(({ url }) => url)).toEqual(['/1', '/2', '/3', '/2']);
  });
});

const echo = (request: IncomingMessage, response: ServerResponse) =>
  json(response, request.headers);

describe('what goes on with a call', () => {
  type Headers = Record<string, string>;

  it('are the headers that are named, and no others', async () => {
    const { client, context } = await start(echo, { propagate: ['X-Tenant'] });
    const scope = context.open({ 'x-tenant': 'acme', authorization: 'secret' });
    const headers = await context.run(scope, () => client.get<Headers>('inventory', '/'));
    expect(headers['x-tenant']).toBe('acme');
    expect(headers).not.toHaveProperty('authorization');
    const own = await context.run(scope, () =>
      client.get<Headers>('inventory', '/', { headers: { 'X-Tenant': 'own' } }),
    );
    expect(own['x-tenant']).toBe('own');
  });

  it('is the time that is left, the shorter of the caller’s and its own', async () => {
    const { client, context } = await start(echo);
    const scope = context.open({ 'x-rookery-deadline': '900' });
    const get = (timeout?: string) =>
      context.run(scope, () =>
        client.get<Headers>('inventory', '/', timeout ? { timeout: timeout as '5s' } : {}),
      );
    for (const [timeout, most] of [
      [undefined, 900],
      ['5s', 900],
      ['300ms', 300],
    ] as const) {
      const left = Number((await get(timeout))['x-rookery-deadline']);
      expect(left).toBeGreaterThan(most - 250);
      expect(left).toBeLessThanOrEqual(most);
    }
    expect((await client.get<Headers>('inventory', '/'))['x-rookery-deadline']).toBeUndefined();
  });

  it('is nothing any more once the deadline has come', async () => {
    const { client, context, asked } = await start(echo);
    const scope = context.open({ 'x-rookery-deadline': '0' });
    await expect(context.run(scope, () => client.get('inventory', '/'))).rejects.toMatchObject({
      code: 'ERR_DEADLINE_EXCEEDED',
    });
    expect(asked).toHaveLength(0);
  });

  it('is the key that names it, and then it may be sent twice', async () => {
    let times = 0;
    const { client, asked } = await start((request, response) => {
      times++;
      if (times % 2 === 1) request.socket.destroy();
      else json(response, request.headers);
    });
    const headers = await client.post<Headers>('inventory', '/', {
      body: {},
      idempotencyKey: 'o-7',
    });
    expect(headers['idempotency-key']).toBe('o-7');
    expect(asked).toHaveLength(2);
    await expect(client.post('inventory', '/', { body: {} })).rejects.toMatchObject({
      code: 'ERR_UPSTREAM_CONNECTION',
    });
    times = 0;
    await client.put('inventory', '/', { body: {}, idempotent: true });
    expect(asked).toHaveLength(5);
  });
});

describe('a batch', () => {
  it('asks together what is asked in one go, once for each key, and never for two requests', async () => {
    const { client, context } = await start(() => {});
    const loads: (readonly number[])[] = [];
    const double = client.batch<number, number>({
      load: async (keys) => {
        loads.push(keys);
        await pause(1);
        return keys.map((key) => key * 2);
      },
      max: 2,
    });
    expect(await Promise.all([1, 2, 1, 3].map(double))).toEqual([2, 4, 2, 6]);
    expect(loads).toEqual([[1, 2], [3]]);
    const [one, other] = [context.open({}), context.open({})];
    await Promise.all([context.run(one, () => double(1)), context.run(other, () => double(1))]);
    expect(loads.slice(2)).toEqual([[1], [1]]);
  });

  it('tells everyone when it fails, or when values are missing', async () => {
    const { client } = await start(() => {});
    const failing = client.batch<number, number>({ load: () => Promise.reject(new Error('no')) });
    await expect(Promise.all([failing(1), failing(2)])).rejects.toThrow('no');
    const short = client.batch<number, number>({ load: async () => [] });
    await expect(short(1)).rejects.toThrow('A batch of 1 keys brought 0 values.');
  });
});

describe('the options of the client', () => {
  it.each([
    [{ propagate: ['a b'] }, "client.propagate[0] is 'a b'. Write the name of a header."],
    [{ cache: { bytes: 1 } }, 'client.cache.bytes is 1. Keep it between 1024 and Infinity.'],
    [{ validate: 'yes' }, "client.validate is 'yes'. Make it 'off' or 'warn' or 'error'."],
    [{ coalesce: 1 }, 'client.coalesce is 1. Make it true or false.'],
    [{ cach: true }, 'client.cach is not an option. Did you mean "cache"?'],
  ])('are checked: %j', (options, sentence) => {
    expect(() => readClientOptions(options as ClientModuleOptions)).toThrow(sentence);
  });
});

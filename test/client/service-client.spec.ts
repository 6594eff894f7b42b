import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { RemoteException, UnreadableAnswerError } from '../../lib/client/client.errors.js';
import { ClientModule } from '../../lib/client/client.module.js';
import type { ClientOptions } from '../../lib/client/client-request.js';
import { ServiceClient } from '../../lib/client/service-client.js';
import { RequestContext } from '../../lib/common/request-context.js';
import { staticInstances } from '../../lib/discovery/backends/static.backend.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { InvalidRequestError } from '../../lib/upstream/upstream.errors.js';
import { UpstreamModule } from '../../lib/upstream/upstream.module.js';

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function start(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  opened.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => server.closeAllConnections(),
  );
  const backend = staticInstances({ inventory: [`http://127.0.0.1:${port}`], gone: [] });

  @Module({
    imports: [
      DiscoveryModule.forRoot({ name: 'orders', backend }),
      UpstreamModule.forRoot({ defaults: { circuit: { minimumCalls: 1_000 } } }),
      ClientModule,
    ],
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  opened.push(() => app.close());
  return { client: app.get(ServiceClient), context: app.get(RequestContext), server };
}

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
}

function say(status: number, type: string, body: string) {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  };
}

describe('ServiceClient', () => {
  it.each(['get', 'post', 'put', 'patch', 'delete'] as const)(
    '%s asks and parses',
    async (method) => {
      const { client } = await start(echo);
      const answer = await client[method]<Echo>('inventory', '/stock/7');
      expect(answer).toMatchObject({ method: method.toUpperCase(), url: '/stock/7' });
      expect(answer.headers).toMatchObject({ accept: 'application/json' });
    },
  );

  it('encodes the query behind the path', async () => {
    const { client } = await start(echo);
    const query = { q: 'a b&c', list: [1, 2], yes: true, no: undefined, none: null };
    const { url } = await client.get<Echo>('inventory', '/stock', { query });
    expect(url).toBe('/stock?q=a+b%26c&list=1&list=2&yes=true');
    const more = await client.get<Echo>('inventory', '/stock?a=b', { query: { c: 'd' } });
    expect(more.url).toBe('/stock?a=b&c=d');
    expect((await client.get<Echo>('inventory', '/stock', { query: {} })).url).toBe('/stock');
  });

  it.each<[string, ClientOptions<Echo>, string, string | undefined]>([
    ['an object as JSON', { body: { a: 1 } }, '{"a":1}', 'application/json'],
    ['a text as JSON', { body: 'a' }, '"a"', 'application/json'],
    ['nothing', {}, '', undefined],
    ['null as JSON', { body: null }, 'null', 'application/json'],
    [
      'a text whose type is given',
      { body: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      'a=b',
      'application/x-www-form-urlencoded',
    ],
    [
      'JSON of another type',
      { body: [1], headers: { 'content-type': 'application/merge-patch+json' } },
      '[1]',
      'application/merge-patch+json',
    ],
    ['bytes', { body: Buffer.from('raw') }, 'raw', undefined],
    ['a stream', { body: Readable.from(['ra', 'w']) }, 'raw', undefined],
  ])('sends %s', async (_name, options, body, type) => {
    const { client } = await start(echo);
    const answer = await client.post<Echo>('inventory', '/stock', options);
    expect(answer.body).toBe(body);
    expect(answer.headers['content-type']).toBe(type);
  });

  it('hands the trace and the correlation id on', async () => {
    const { client, context } = await start(echo);
    const scope = context.open({ 'x-correlation-id': 'abc', tracestate: 'lost' });
    const { headers } = await context.run(scope, () => client.get<Echo>('inventory', '/'));
    expect(headers).toMatchObject({ 'x-correlation-id': 'abc' });
    expect(headers['traceparent']).toContain(scope.trace.traceId);
    const outside = await client.get<Echo>('inventory', '/');
    expect(outside.headers).not.toHaveProperty('traceparent');
  });

  it('returns text that is no JSON as it is, and nothing for an empty answer', async () => {
    const { client } = await start((request, response) =>
      request.url === '/none'
        ? response.writeHead(204).end()
        : say(200, 'text/plain', '7')(request, response),
    );
    expect(await client.get('inventory', '/')).toBe('7');
    expect(await client.get('inventory', '/none')).toBeUndefined();
  });

  it('throws when an answer claims to be JSON and is none', async () => {
    const { client } = await start(say(200, 'application/json', '{"a":'));
    const call = client.get('inventory', '/stock?secret=1');
    await expect(call).rejects.toBeInstanceOf(UnreadableAnswerError);
    await expect(call).rejects.toThrow('"inventory" answered GET /stock with malformed JSON.');
  });

  it('throws a RemoteException that knows the answer, and does not pass its body on', async () => {
    const problem = JSON.stringify({ title: 'Gone', detail: 'No item 7.', secret: 'x' });
    const { client } = await start(say(404, 'application/problem+json', problem));
    const error = await client.get('inventory', '/stock/7').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RemoteException);
    expect(error).toMatchObject({
      service: 'inventory',
      remoteStatus: 404,
      statusCode: 404,
      code: 'ERR_REMOTE',
      body: { title: 'Gone', detail: 'No item 7.', secret: 'x' },
      message: '"inventory" answered 404 to GET /stock/7: No item 7.',
    });
    expect(JSON.stringify((error as RemoteException).getResponse())).not.toContain('secret');
  });

  it.each([
    [500, 'text/html', '<h1>no</h1>', '<h1>no</h1>'],
    [500, 'application/json', '{broken', '{broken'],
    [302, 'text/plain', '', ''],
    [503, 'text/plain', 'x'.repeat(100_000), undefined],
  ])('reads what it can of an error %d %s', async (status, type, text, body) => {
    const { client } = await start(say(status, type, text));
    const error = await client.get('inventory', '/').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ remoteStatus: status, body });
    expect((error as RemoteException).statusCode).toBe(status === 302 ? 502 : status);
  });

  it('uses its fallback when the service fails or cannot be reached', async () => {
    const { client } = await start(say(500, 'text/plain', 'no'));
    expect(await client.get('inventory', '/', { fallback: { amount: 0 } })).toEqual({ amount: 0 });
    expect(await client.get('gone', '/', { fallback: null })).toBeNull();
    expect(await client.get('gone', '/', { fallback: undefined })).toBeUndefined();
    expect(await client.get('gone', '/', { fallback: (error) => error.message })).toContain(
      'No endpoint of "gone"',
    );
  });

  it('does not use its fallback when the call was wrong', async () => {
    const { client } = await start(say(400, 'text/plain', 'wrong'));
    await expect(client.get('inventory', '/', { fallback: 1 })).rejects.toBeInstanceOf(
      RemoteException,
    );
    await expect(client.get('inventory', 'x', { fallback: 1 })).rejects.toBeInstanceOf(
      InvalidRequestError,
    );
  });

  it('neither answers nor falls back when its caller gave up', async () => {
    const { client, server } = await start(() => {});
    const controller = new AbortController();
    const { signal } = controller;
    const call = client.get('inventory', '/', { signal, fallback: 1 });
    await new Promise((resolve) => server.once('request', resolve));
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'ERR_CALL_CANCELLED' });
  });

  it('gives up when its time is over', async () => {
    const { client } = await start(() => {});
    await expect(client.get('inventory', '/', { timeout: 40 })).rejects.toMatchObject({
      code: 'ERR_UPSTREAM_TIMEOUT',
    });
    expect(await client.get('inventory', '/', { timeout: 40, fallback: 'late' })).toBe('late');
  });

  it('reads no more of an answer than it may', async () => {
    const { client } = await start(say(200, 'text/plain', 'x'.repeat(1_000)));
    await expect(client.get('inventory', '/', { limit: 999 })).rejects.toMatchObject({
      code: 'ERR_ANSWER_TOO_LARGE',
    });
    expect(await client.get('inventory', '/', { limit: 1_000 })).toHaveLength(1_000);
  });

  it.each([
    'stock',
    'http://evil/',
    '//evil/',
    '/a b',
    '/a\r\nhost: evil',
    '/stock/../admin',
    '/stock/%2e%2E/admin',
    '/./x',
    '/..?a',
  ])('refuses the path %j', async (path) => {
    const { client } = await start(echo);
    await expect(client.get('inventory', path)).rejects.toBeInstanceOf(InvalidRequestError);
  });

  it('lets dots be where they are no segment', async () => {
    const { client } = await start(echo);
    const { url } = await client.get<Echo>('inventory', '/a..b/...?x=/../y');
    expect(url).toBe('/a..b/...?x=/../y');
  });

  it('refuses a header with a line end in it', async () => {
    const { client } = await start(echo);
    const headers = { 'x-name': 'a\r\nx-admin: true' };
    await expect(client.get('inventory', '/', { headers })).rejects.toBeInstanceOf(
      InvalidRequestError,
    );
  });
});

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { ManagementListener } from '../../lib/management/management-listener.js';
import type { ManagementOptions } from '../../lib/management/management.options.js';
import { RookeryModule } from '../../lib/rookery.module.js';

jest.setTimeout(20_000);

/** An address of this machine that is not its own alone; a machine without a network has none. */
const OUTSIDE = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal)?.address;

const TOKEN = 'a-token-of-enough-length';
const PAGES = [
  '',
  'info',
  'env',
  'loggers',
  'routes',
  'circuits',
  'discovery',
  'health',
  'metrics',
  'metrics/http_server_request_duration_seconds_count',
  'mappings',
  'targets',
];

/** What somebody might say to be taken for a caller on this machine. */
const CLAIMS: readonly Record<string, string>[] = [
  {},
  { 'x-forwarded-for': '127.0.0.1' },
  { 'x-forwarded-for': '::1', 'x-forwarded-host': 'localhost', 'x-forwarded-proto': 'https' },
  { forwarded: 'for=127.0.0.1;host=localhost' },
  { 'x-real-ip': '127.0.0.1', 'x-client-ip': '127.0.0.1', 'true-client-ip': '127.0.0.1' },
  { host: 'localhost' },
  { host: '127.0.0.1', origin: 'http://127.0.0.1' },
  { authorization: 'Bearer undefined' },
  { authorization: `Bearer ${TOKEN}` },
  { authorization: 'Basic YWRtaW46YWRtaW4=' },
];

/** Other ways to write a path, which a careless comparison lets through. */
const SPELLINGS = [
  '/management/env',
  '/management/env/',
  '//management/env',
  '/./management/env',
  '/x/../management/env',
  '/%6danagement/env',
  '/management%2fenv',
  '/management;x=1/env',
  '/MANAGEMENT/env',
  'http://localhost/management/env',
  'http://127.0.0.1/metrics',
];

let app: INestApplication | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function start(
  adapter: ExpressAdapter | FastifyAdapter,
  management: ManagementOptions = {},
): Promise<number> {
  @Module({
    imports: [
      RookeryModule.forRoot({
        name: 'orders',
        config: false,
        metrics: true,
        management,
        discovery: { backend: memory(new MemoryHub()), host: '127.0.0.1' },
      }),
    ],
  })
  class AppModule {}
  app = await NestFactory.create(AppModule, adapter, { logger: false, abortOnError: false });
  await app.listen(0, '0.0.0.0');
  return Number(new URL(await app.getUrl()).port);
}

interface Asked {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

/** Sends a target as it is written; fetch would tidy it up. */
function ask(asked: Asked): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    request({ ...asked, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    })
      .once('error', reject)
      .end();
  });
}

const outside = OUTSIDE === undefined ? describe.skip : describe;

outside.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter() as never],
])('a stranger from outside, on %s,', (_, adapter) => {
  const host = OUTSIDE as string;

  it('gets nothing, whatever it says of itself', async () => {
    const port = await start(adapter());
    for (const headers of CLAIMS) {
      for (const page of PAGES) {
        const answer = await ask({ host, port, path: `/management/${page}`, headers });
        expect([page, headers, answer.status]).toEqual([page, headers, 404]);
        expect(answer.text).not.toMatch(/orders|propertySources|nodejs/);
      }
      expect((await ask({ host, port, path: '/metrics', headers })).status).toBe(404);
    }
  });

  it('gets nothing, however it writes the path, and changes nothing', async () => {
    const port = await start(adapter());
    for (const path of SPELLINGS) {
      const { status, text } = await ask({ host, port, path });
      expect([path, [400, 404].includes(status)]).toEqual([path, true]);
      expect(text).not.toMatch(/propertySources|rookery_/);
    }
    const path = '/management/loggers/ROOT';
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      expect([method, (await ask({ host, port, path, method })).status]).toEqual([method, 404]);
  });

  it('gets nothing on a port of their own, until it brings the token', async () => {
    await start(adapter(), { port: 0, host: '0.0.0.0', token: TOKEN });
    const port = app?.get(ManagementListener).port as number;
    const env = { host, port, path: '/management/env' };
    for (const headers of CLAIMS.slice(0, -2)) {
      for (const path of ['/management/env', '/env', '/metrics'])
        expect([path, (await ask({ ...env, path, headers })).status]).toEqual([path, 404]);
    }
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await ask({ ...env, headers })).text).toContain('propertySources');
    expect((await ask({ ...env, host: '127.0.0.1' })).status).toBe(200);
  });

  it('is the only one who needs it, unless callers on this machine do as well', async () => {
    const port = await start(adapter(), { token: TOKEN, local: false });
    const env = { host: '127.0.0.1', port, path: '/management/env' };
    expect((await ask(env)).status).toBe(404);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await ask({ ...env, headers })).status).toBe(200);
    expect((await ask({ ...env, host, headers })).status).toBe(200);
  });
});

import 'reflect-metadata';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type INestApplication, Logger, Module } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { memory } from '../lib/discovery/backends/memory.backend.js';
import { RookeryModule } from '../lib/rookery.module.js';
import { ConfigServerModule } from '../lib/config-server/config-server.module.js';
import { MemoryRepository } from '../lib/config-server/repositories/memory.repository.js';
import type { RookeryOptions } from '../lib/rookery.options.js';
import { startService } from '../lib/start-service.js';

const HOST = '127.0.0.1';

@Module({ imports: [RookeryModule.forRoot({ name: 'orders', discovery: { backend: memory() } })] })
class OrdersModule {}

@Module({
  imports: [
    RookeryModule.forRoot({
      name: 'orders',
      discovery: { backend: memory(), heartbeat: { interval: '60s', ttl: '30s' } },
    }),
  ],
})
class ImpatientModule {}

@Module({
  imports: [ConfigServerModule.forRoot({ repository: new MemoryRepository() })],
})
class ConfigServerAppModule {}

@Module({
  imports: [
    RookeryModule.forRoot({ nmae: 'orders', discovery: { backend: memory() } } as RookeryOptions),
  ],
})
class MistypedModule {}

@Module({
  imports: [
    RookeryModule.forRoot({
      name: 'orders',
      discovery: { backend: memory() },
      config: { url: 'http://127.0.0.1:9', failFast: true, startTimeout: '300ms' },
    }),
  ],
})
class EagerModule {}

@Module({
  imports: [OrdersModule],
  providers: [
    {
      provide: 'DATABASE',
      useFactory: () => {
        throw new Error('no such table');
      },
    },
  ],
})
class BrokenModule {}

let app: INestApplication | undefined;
let said: string[];

beforeEach(() => {
  said = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  jest.spyOn(process.stdout, 'write').mockImplementation(() => true);
});

afterEach(async () => {
  await app?.close();
  app = undefined;
  jest.restoreAllMocks();
  delete process.env['PORT'];
  delete process.env['HOST'];
  process.exitCode = 0;
  Logger.overrideLogger(true);
});

describe('startService', () => {
  it.each([undefined, new FastifyAdapter()])('listens on PORT, prepared (%#)', async (adapter) => {
    process.env['PORT'] = '0';
    const steps: string[] = [];
    app = await startService(OrdersModule, {
      host: HOST,
      ...(adapter ? { adapter } : {}),
      prepare: (each) => void steps.push(String(each.getHttpServer().listening)),
    });
    expect(steps).toEqual(['false']);
    const answer = await fetch(`${await app?.getUrl()}/health/ready`);
    expect(await answer.json()).toMatchObject({ service: 'orders', status: 'up' });
    expect(said).toEqual([]);
  });

  it('takes its own port when PORT says none', async () => {
    app = await startService(OrdersModule, { host: HOST, port: 0 });
    expect(app?.getHttpServer().listening).toBe(true);
  });

  describe('says in one sentence', () => {
    let other: Server;
    beforeEach(async () => {
      other = createServer().listen(0, HOST);
      await once(other, 'listening');
    });
    afterEach(() => {
      other.close();
    });

    it('that the port is taken', async () => {
      const { port } = other.address() as AddressInfo;
      expect(await startService(OrdersModule, { host: HOST, port })).toBeUndefined();
      expect(said).toEqual([
        `Port ${port} is in use by another program. Stop it, or set PORT to another port.\n`,
      ]);
      expect(process.exitCode).toBe(1);
    });
  });

  it.each(['http', '70000', '-1', '80.5'])('says that PORT=%s is no port', async (port) => {
    process.env['PORT'] = port;
    expect(await startService(OrdersModule, { host: HOST })).toBeUndefined();
    expect(said).toEqual([
      `PORT is '${port}'. Make it a number from 0 to 65535, or leave it out.\n`,
    ]);
  });

  it('says which option is wrong, without a stack', async () => {
    expect(await startService(ImpatientModule, { host: HOST, port: 0 })).toBeUndefined();
    expect(said).toEqual([
      'discovery.heartbeat.interval is 60s, longer than the TTL of 30s. Make it 10s, or leave it out.\n',
    ]);
    expect(process.exitCode).toBe(1);
  });

  it('says which option of RookeryModule is wrong, without a stack', async () => {
    expect(await startService(MistypedModule, { host: HOST, port: 0 })).toBeUndefined();
    expect(said).toEqual(['rookery.nmae is not an option. Did you mean "name"?\n']);
  });

  it('says that there is no configuration, without a stack', async () => {
    expect(await startService(EagerModule, { host: HOST, port: 0 })).toBeUndefined();
    expect(said).toEqual([expect.stringMatching(/^No configuration of "orders" from [^\n]*\n$/)]);
  });

  it('says that HOST is no address of this machine', async () => {
    process.env['HOST'] = '192.0.2.1';
    expect(await startService(OrdersModule, { port: 0 })).toBeUndefined();
    expect(said).toEqual([
      "This machine has no address '192.0.2.1' to listen on. Set HOST to one it has, such as 127.0.0.1, or leave HOST out to listen on all.\n",
    ]);
  });

  it('starts an application without discovery, and says where it can be reached', async () => {
    const log = jest.spyOn(Logger.prototype, 'log');
    app = await startService(ConfigServerAppModule, { host: '0.0.0.0', port: 0 });
    const port = (app?.getHttpServer().address() as AddressInfo | undefined)?.port;
    expect(log).toHaveBeenCalledWith(`The application listens on http://localhost:${port}`);
    const answer = await fetch(`http://localhost:${port}/orders/default`);
    expect(answer.status).toBe(200);
    expect(said).toEqual([]);
  });

  it('shows the stack of what nobody foresaw', async () => {
    expect(await startService(BrokenModule, { host: HOST, port: 0 })).toBeUndefined();
    expect(said.join('')).toMatch(/The service could not start: Error: no such table\n\s+at /);
  });
});

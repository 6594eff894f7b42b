import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientGrpc, ClientsModule, Transport } from '@nestjs/microservices';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { firstValueFrom, type Observable } from 'rxjs';
import { RequestContext } from '../../lib/common/request-context.js';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { GrpcClients } from '../../lib/messaging/grpc/grpc-clients.js';
import { MessageContextInterceptor } from '../../lib/messaging/message-context.interceptor.js';
import { MessagingModule } from '../../lib/messaging/messaging.module.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../support/servers/server.mjs';
import { type Known, ScopeController, SELF } from './transports.js';

// Whole applications start here; a busy machine takes its time.
jest.setTimeout(30_000);

const PROTO = { package: 'stock', protoPath: new URL('stock.proto', import.meta.url).pathname };

let hub: MemoryHub;
const running: INestApplication[] = [];

beforeEach(() => {
  hub = new MemoryHub();
});
afterEach(async () => {
  for (const app of running.splice(0).toReversed()) await app.close();
});

const modules = (name: string) => [
  DiscoveryModule.forRoot({
    name,
    backend: memory(hub),
    drain: { delay: '50ms' },
    host: '127.0.0.1',
  }),
  MessagingModule.forRoot(),
];

/** An instance of inventory that takes gRPC calls. */
async function inventory(self: string): Promise<INestApplication> {
  const [port = 0] = await freePorts(1);
  @Module({
    imports: modules('inventory'),
    controllers: [ScopeController],
    providers: [{ provide: SELF, useValue: self }],
  })
  class InventoryModule {}
  const app = await NestFactory.create(InventoryModule, { logger: false });
  app.useGlobalInterceptors(app.get(MessageContextInterceptor));
  app.connectMicroservice(
    { transport: Transport.GRPC, options: { ...PROTO, url: `127.0.0.1:${port}` } },
    { inheritAppConfig: true },
  );
  app.get(GrpcClients).announce(port);
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  running.push(app);
  return app;
}

async function caller() {
  @Module({
    imports: [
      ...modules('orders'),
      ClientsModule.registerAsync([
        {
          name: 'STOCK',
          inject: [GrpcClients],
          useFactory: async (clients: GrpcClients) => ({
            transport: Transport.GRPC,
            options: { ...PROTO, ...(await clients.options('inventory')) },
          }),
        },
      ]),
    ],
  })
  class OrdersModule {}
  const app = await NestFactory.create(OrdersModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  running.push(app);
  const stock = app
    .get<ClientGrpc>('STOCK')
    .getService<{ scope(nothing: object): Observable<Known> }>('Stock');
  return { ask: () => firstValueFrom(stock.scope({})), context: app.get(RequestContext) };
}

/** How often each instance served. */
async function served(ask: () => Promise<Known>, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < times; n++) {
    const { servedBy } = await ask();
    counts[servedBy] = (counts[servedBy] ?? 0) + 1;
  }
  return counts;
}

describe('gRPC through discovery', () => {
  it('shares calls among all instances, those that come and not those that leave', async () => {
    const first = await inventory('one');
    const { ask } = await caller();
    await ask();
    await inventory('two');
    await eventually(async () => expect(await served(ask, 10)).toEqual({ one: 5, two: 5 }), 15_000);
    await first.close();
    running.splice(running.indexOf(first), 1);
    expect(await served(ask, 10)).toEqual({ two: 10 });
  }, 30_000);

  it('carries trace, correlation id and deadline', async () => {
    await inventory('one');
    const { ask, context } = await caller();
    const scope = context.open({ 'x-correlation-id': 'order-7', 'x-rookery-deadline': '5000' });
    const known = await context.run(scope, ask);
    expect(known).toMatchObject({ correlationId: 'order-7', traceId: scope.trace.traceId });
    expect(known.left).toBeGreaterThan(0);
    expect(known.left).toBeLessThanOrEqual(5_000);
    expect(await ask()).toMatchObject({ left: -1 });
  });

  it('does not outlive the request it is made for', async () => {
    const app = await inventory('one');
    const { ask, context } = await caller();
    await ask();
    const { handled } = app.get(ScopeController);
    const scope = context.open({ 'x-rookery-deadline': '0' });
    await expect(context.run(scope, ask)).rejects.toMatchObject({ code: 4 });
    expect(app.get(ScopeController).handled).toBe(handled);
  });

  it('says so when nobody takes gRPC calls', async () => {
    const { ask } = await caller();
    await expect(ask()).rejects.toMatchObject({
      code: 14,
      message: expect.stringContaining('No instance of "inventory" takes gRPC calls.'),
    });
  });
});

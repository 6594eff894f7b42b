import { type INestApplication, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type ClientProxy, ClientsModule, Transport } from '@nestjs/microservices';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { RequestContext } from '../../lib/common/request-context.js';
import { memory } from '../../lib/discovery/backends/memory.backend.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { MessageContext } from '../../lib/messaging/message-context.js';
import { MessageContextInterceptor } from '../../lib/messaging/message-context.interceptor.js';
import { MessagingModule } from '../../lib/messaging/messaging.module.js';
import { type StartedServer, startRedis } from '../support/servers/server.mjs';
import { type Known, ScopeController, SELF } from './transports.js';

const modules = (name: string) => [
  DiscoveryModule.forRoot({ name, backend: memory() }),
  MessagingModule.forRoot(),
];

describe('messages over Redis', () => {
  let redis: StartedServer;
  let service: INestMicroservice;
  let app: INestApplication;
  let events: ClientProxy;
  let context: RequestContext;

  beforeAll(async () => {
    const started = await startRedis();
    redis = started;
    const options = { host: '127.0.0.1', port: started.port };
    @Module({
      imports: modules('inventory'),
      controllers: [ScopeController],
      providers: [{ provide: SELF, useValue: 'one' }],
    })
    class InventoryModule {}
    service = await NestFactory.createMicroservice(InventoryModule, {
      transport: Transport.REDIS,
      options,
      logger: false,
    });
    service.useGlobalInterceptors(service.get(MessageContextInterceptor));
    await service.listen();
    @Module({
      imports: [
        ...modules('orders'),
        ClientsModule.register([{ name: 'EVENTS', transport: Transport.REDIS, options }]),
      ],
    })
    class OrdersModule {}
    app = await NestFactory.create(OrdersModule, { logger: false });
    await app.init();
    events = app.get(MessageContext).attach(app.get<ClientProxy>('EVENTS'));
    context = app.get(RequestContext);
  });

  afterAll(async () => {
    await app.close();
    await service.close();
    await redis.stop();
  });

  const ask = () => firstValueFrom(events.send<Known>('scope', {}));

  it('carry trace, correlation id and deadline', async () => {
    const scope = context.open({ 'x-correlation-id': 'order-7', 'x-rookery-deadline': '5000' });
    const known = await context.run(scope, ask);
    expect(known).toMatchObject({ correlationId: 'order-7', traceId: scope.trace.traceId });
    expect(known.left).toBeGreaterThan(0);
    expect(known.left).toBeLessThanOrEqual(5_000);
    expect(await ask()).toMatchObject({
      left: -1,
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
    });
  });

  it('are not handled when their caller waits no longer', async () => {
    const { handled } = service.get(ScopeController);
    const scope = context.open({ 'x-rookery-deadline': '0' });
    await expect(context.run(scope, ask)).rejects.toBeDefined();
    expect(service.get(ScopeController).handled).toBe(handled);
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { Controller, type INestApplication, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { from, type Observable } from 'rxjs';
import { RequestContext } from '../../lib/common/request-context.js';
import { memory, type MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { DiscoverableTcpServer } from '../../lib/messaging/discoverable-tcp-server.js';
import type { DiscoveryClientProxy } from '../../lib/messaging/discovery-client-proxy.js';
import { getClientToken } from '../../lib/messaging/inject-client.decorator.js';
import { MessagingModule } from '../../lib/messaging/messaging.module.js';
import type { MessagingOptions } from '../../lib/messaging/messaging.options.js';

/** What an instance of payments has handled. */
@Injectable()
export class Ledger {
  readonly handled: unknown[] = [];
  readonly events: unknown[] = [];
}

@Controller()
class PaymentsController {
  constructor(
    private readonly ledger: Ledger,
    private readonly context: RequestContext,
  ) {}

  @MessagePattern('charge')
  async charge(@Payload() { id, ms = 0 }: { id: number; ms?: number }): Promise<number> {
    this.ledger.handled.push(id);
    if (ms > 0) await pause(ms);
    return id;
  }

  @MessagePattern('context')
  async scope(): Promise<unknown> {
    await Promise.resolve();
    return this.context.current;
  }

  @MessagePattern('count')
  count(): Observable<number> {
    return from([1, 2, 3]);
  }

  @MessagePattern('refuse')
  refuse(): never {
    throw new RpcException('no money');
  }

  @EventPattern('paid')
  paid(@Payload() event: unknown): void {
    this.ledger.events.push({ event, correlationId: this.context.current?.correlationId });
  }
}

const LOOPBACK = { host: '127.0.0.1' } as const;

/** Peers in the same process hear at once. */
const drain = { delay: '10ms' } as const;

/** One instance of payments, listening for HTTP and for messages. */
export async function startPayments(hub: MemoryHub, tcp = true): Promise<INestApplication> {
  @Module({
    imports: [
      DiscoveryModule.forRoot({ name: 'payments', backend: memory(hub), drain, ...LOOPBACK }),
      MessagingModule.forRoot({ server: LOOPBACK }),
    ],
    controllers: [PaymentsController],
    providers: [Ledger],
  })
  class PaymentsModule {}
  const app = await NestFactory.create(PaymentsModule, { logger: false });
  if (tcp) {
    app.connectMicroservice({ strategy: app.get(DiscoverableTcpServer) });
    await app.startAllMicroservices();
  }
  await app.listen(0, '127.0.0.1');
  return app;
}

/** A caller of payments. */
export async function startOrders(
  hub: MemoryHub,
  options: MessagingOptions = {},
): Promise<{ app: INestApplication; payments: DiscoveryClientProxy }> {
  @Module({
    imports: [
      DiscoveryModule.forRoot({ name: 'orders', backend: memory(hub), drain, ...LOOPBACK }),
      MessagingModule.forRoot(options),
      MessagingModule.forFeature(['payments']),
    ],
  })
  class OrdersModule {}
  const app = await NestFactory.create(OrdersModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, payments: app.get<DiscoveryClientProxy>(getClientToken('payments')) };
}

/** Dies as a killed process does: connections break, ports refuse, and the registry has not heard of it. */
export function kill(app: INestApplication): void {
  app.get(DiscoverableTcpServer).close();
}

import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { embedded } from '../../lib/discovery/backends/embedded.backend.js';
import { DiscoveryModule } from '../../lib/discovery/discovery.module.js';
import { enableGracefulShutdown } from '../../lib/discovery/graceful-shutdown.js';
import { DiscoverableTcpServer } from '../../lib/messaging/discoverable-tcp-server.js';
import { MessagingModule } from '../../lib/messaging/messaging.module.js';

// A service that takes messages only, as a process of its own: no HTTP, and one line for leaving politely.
const [port = '', self = ''] = process.argv.slice(2);

@Controller()
class LedgerController {
  @MessagePattern('add')
  async add(@Payload() { id }: { id: number }): Promise<{ id: number; by: string }> {
    await pause(5);
    return { id, by: self };
  }
}

const host = '127.0.0.1';

@Module({
  imports: [
    DiscoveryModule.forRoot({ name: 'ledger', host, backend: embedded({ port: Number(port) }) }),
    MessagingModule.forRoot({ server: { host } }),
  ],
  controllers: [LedgerController],
})
class LedgerModule {}

const app = await NestFactory.createMicroservice(LedgerModule, {
  logger: false,
  inject: [DiscoverableTcpServer],
  useFactory: (strategy: DiscoverableTcpServer) => ({ strategy }),
});
enableGracefulShutdown(app);
await app.listen();
process.on('disconnect', () => process.exit());

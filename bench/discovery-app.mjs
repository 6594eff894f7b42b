// One service for discovery.mjs: registers, and lives until it is killed. argv: backend, its address, the service's name.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DiscoveryModule } from 'nest-rookery/discovery';
import { backendOf } from './support/registries.mjs';

const [backend, address, name] = process.argv.slice(2);

class AppModule {}
Module({
  imports: [
    DiscoveryModule.forRoot({
      name,
      backend: backendOf(backend, address),
      heartbeat: { ttl: '3s', interval: '1s' },
    }),
  ],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.send?.('listening');
process.on('disconnect', () => process.exit());

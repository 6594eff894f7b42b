import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { GatewayAppModule, OrdersModule } from './app.module.js';
import { scenario } from './scenario.js';

async function main() {
  const options = { logger: ['error', 'warn'] as ('error' | 'warn')[] };
  await scenario(
    await NestFactory.create(OrdersModule, options),
    await NestFactory.create(GatewayAppModule, options),
  );
  console.log(`${process.version}: a service, a gateway and a drain`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

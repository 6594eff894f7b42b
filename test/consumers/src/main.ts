import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { GatewayAppModule, OrdersModule } from './app.module.js';
import { configDoor, ConfigDoorModule } from './config-door.js';
import { scenario } from './scenario.js';

async function main() {
  const options = { logger: ['error', 'warn'] as ('error' | 'warn')[] };
  await scenario(
    await NestFactory.create(OrdersModule, options),
    await NestFactory.create(GatewayAppModule, options),
  );
  await configDoor(await NestFactory.createApplicationContext(ConfigDoorModule, options));
  console.log(
    `${process.version}: a service, a gateway, a drain, and Nest's ConfigService in step`,
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

import { Test } from '@nestjs/testing';
import { GatewayAppModule, OrdersModule } from './app.module.js';
import { configDoor, ConfigDoorModule } from './config-door.js';
import { scenario } from './scenario.js';

const create = async (module: typeof OrdersModule | typeof GatewayAppModule) =>
  (await Test.createTestingModule({ imports: [module] }).compile()).createNestApplication();

it("works under this application's test runner", async () => {
  await scenario(await create(OrdersModule), await create(GatewayAppModule));
});

it("keeps in step with this version of Nest's ConfigService", async () => {
  const testing = await Test.createTestingModule({ imports: [ConfigDoorModule] }).compile();
  await configDoor(await testing.init());
});

import type { INestApplicationContext } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { GatewayRoutes } from '../gateway/gateway-routes.js';
import type { CliArguments } from './cli-arguments.js';
import { knownServices } from './known-services.js';

/** How long nothing new must come, in ms, before what is there counts as all. */
const QUIET = 300;
const ROUNDS = 20;

/** Waits until the manifests of the services that are known have been read. */
export async function knownRoutes(
  app: INestApplicationContext,
  given: CliArguments,
): Promise<void> {
  await knownServices(app, given);
  const routes = app.get(GatewayRoutes, { strict: false });
  const clock = app.get(Clock, { strict: false });
  for (let round = 0, before = -1; round < ROUNDS; round++) {
    const count = routes.list().length + routes.conflicts().length + routes.refused().length;
    if (count === before) return;
    before = count;
    await clock.sleep(QUIET);
  }
}

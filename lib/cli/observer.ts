import 'reflect-metadata';
import { type INestApplicationContext, type LogLevel, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Clock } from '../common/clock.js';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { GatewayModule } from '../gateway/gateway.module.js';
import { UpstreamModule } from '../upstream/upstream.module.js';
import type { CliArguments } from './cli-arguments.js';
import { chooseRegistry } from './registry-choice.js';

/** The longest a command may take, in ms. */
const LONGEST = 300_000;

/** Does something in an application that only looks: it registers nothing and listens nowhere. */
export async function observe<T>(
  given: CliArguments,
  task: (app: INestApplicationContext) => Promise<T>,
): Promise<T> {
  const app = await NestFactory.createApplicationContext(makeModule(given), {
    logger: ['error'] satisfies LogLevel[],
    abortOnError: false,
  });
  const done = new AbortController();
  // Nothing else keeps the process alive: connections to a registry and their timers do not.
  void app.get(Clock, { strict: false }).sleep(LONGEST, done.signal);
  try {
    return await task(app);
  } finally {
    done.abort();
    await app.close();
  }
}

function makeModule(given: CliArguments): Type {
  @Module({
    imports: [
      DiscoveryModule.forRoot({
        name: 'rookery-cli',
        register: false,
        backend: chooseRegistry(given),
        ...(given.namespace !== undefined && { namespace: given.namespace }),
        drain: { delay: 0 },
      }),
      UpstreamModule.forRoot(),
      GatewayModule.forRoot(),
    ],
  })
  class ObserverModule {}
  return ObserverModule;
}

import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import {
  type HttpServer,
  type INestApplication,
  Logger,
  type ModuleMetadata,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { Clock } from '../../../lib/common/clock.js';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { EventHub, type EventName } from '../../../lib/common/event-hub.js';
import { DiscoveryModule } from '../../../lib/discovery/discovery.module.js';
import type { DiscoveryOptions } from '../../../lib/discovery/discovery.options.js';
import type { FakeClock } from '../../../lib/testing/fake-clock.js';

export interface ApplicationOptions extends ModuleMetadata {
  readonly discovery: DiscoveryOptions;
  readonly clock?: FakeClock;
  readonly adapter?: AbstractHttpAdapter;
}

/** A Nest application with discovery that has not started yet. */
export async function createApplication({
  discovery,
  clock,
  adapter = new ExpressAdapter(),
  imports = [],
  ...metadata
}: ApplicationOptions): Promise<INestApplication> {
  const builder = Test.createTestingModule({
    ...metadata,
    imports: [DiscoveryModule.forRoot(discovery), ...imports],
  });
  if (clock) builder.overrideProvider(Clock).useValue(clock);
  const module = await builder.compile();
  return module.createNestApplication(adapter as unknown as HttpServer, { logger: false });
}

/** The same, listening on a free port of the loopback address. */
export async function startApplication(options: ApplicationOptions): Promise<INestApplication> {
  const app = await createApplication(options);
  await app.listen(0, '127.0.0.1');
  return app;
}

export function portOf(app: INestApplication): number {
  return (app.getHttpServer().address() as AddressInfo).port;
}

/** Closes an application whose time is pushed. */
export async function closeAt(clock: FakeClock, app: INestApplication): Promise<void> {
  const state = { closed: false };
  const closing = app.close().then(() => (state.closed = true));
  while (!state.closed) await clock.advance(50);
  await closing;
}

/** The names of the events an application announces, as they come. */
export function eventsOf(app: INestApplication): EventName[] {
  const names: EventName[] = [];
  app.get(EventHub).onAny((name) => names.push(name));
  return names;
}

/** Collects what is logged for a person to act on; `stop` ends it. */
export function listenToLog() {
  const lines: string[] = [];
  const note = (message: unknown) => void lines.push(String(message));
  const spies = [
    jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined),
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(note),
    jest.spyOn(Logger.prototype, 'error').mockImplementation(note),
  ];
  return { lines, stop: () => spies.forEach((spy) => spy.mockRestore()) };
}

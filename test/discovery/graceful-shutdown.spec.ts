import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type INestApplication, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import { enableGracefulShutdown } from '../../lib/discovery/graceful-shutdown.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { closeAt, listenToLog, startApplication } from './support/application.js';

/** A hook that never ends, when a test says so. */
@Injectable()
class Stubborn implements OnModuleDestroy {
  waitFor: Promise<void> | undefined;
  async onModuleDestroy(): Promise<void> {
    await this.waitFor;
  }
}

const listeners = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');

describe('a graceful shutdown', () => {
  let clock: FakeClock;
  let hub: MemoryHub;
  let app: INestApplication;
  let log: ReturnType<typeof listenToLog>;
  let exits: (number | undefined)[];
  let kills: (string | number | undefined)[];
  let spies: { mockRestore(): void }[];

  beforeEach(async () => {
    log = listenToLog();
    exits = [];
    kills = [];
    clock = new FakeClock();
    hub = new MemoryHub();
    spies = [
      jest.spyOn(process, 'exit').mockImplementation((code) => {
        exits.push(code as number);
        return undefined as never;
      }),
      jest.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
        kills.push(signal);
        return true;
      }),
    ];
    app = await startApplication({
      discovery: { name: 'orders', backend: memory(hub) },
      providers: [Stubborn],
      clock,
    });
    await clock.advance(0);
  });
  afterEach(() => {
    for (const spy of spies) spy.mockRestore();
    log.stop();
  });

  it('leaves the registry first when the system asks it to end, and then ends by that signal', async () => {
    const before = listeners();
    enableGracefulShutdown(app);
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(100);
    expect(hub.table('default').instances('orders')).toEqual([]);
    expect(kills).toEqual([]);
    for (let n = 0; kills.length === 0 && n < 100; n++) await clock.advance(50);
    expect(kills).toEqual(['SIGTERM']);
    expect(listeners()).toBe(before);
    await clock.advance(1_000);
    expect(exits).toEqual([]);
  });

  it('exits all the same when a hook hangs', async () => {
    enableGracefulShutdown(app, { limit: '10s', signals: ['SIGTERM'] });
    const waiting = { end: () => {} };
    app.get(Stubborn).waitFor = new Promise((resolve) => (waiting.end = resolve));
    process.emit('SIGTERM', 'SIGTERM');
    await clock.advance(9_999);
    expect(exits).toEqual([]);
    await clock.advance(1);
    expect(exits).toEqual([1]);
    expect(log.lines).toEqual(['Shutting down took longer than 10s; the process exits now.']);
    waiting.end();
    for (let n = 0; kills.length === 0 && n < 100; n++) await clock.advance(50);
  });

  it('leaves the process alone when the application is closed by hand', async () => {
    const before = listeners();
    enableGracefulShutdown(app, { limit: '10s' });
    expect(listeners()).toBe(before + 4);
    await closeAt(clock, app);
    expect(listeners()).toBe(before);
    await clock.advance(60_000);
    expect(exits).toEqual([]);
    expect(kills).toEqual([]);
  });
});

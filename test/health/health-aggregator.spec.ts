import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, type Provider } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Clock } from '../../lib/common/clock.js';
import { EventHub } from '../../lib/common/event-hub.js';
import { Availability } from '../../lib/health/availability.js';
import { HealthAggregator } from '../../lib/health/health-aggregator.js';
import {
  HealthContributor,
  type HealthReport,
  type HealthStatus,
} from '../../lib/health/health-contributor.js';
import { HealthCoreModule } from '../../lib/health/health-core.module.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

@Injectable()
class Database extends HealthContributor {
  override readonly name = 'database';
  status: HealthStatus = 'up';
  calls = 0;

  override check(): HealthReport {
    this.calls += 1;
    return { status: this.status, details: { pool: 5 } };
  }
}

@Injectable()
class Mail extends HealthContributor {
  override readonly name = 'mail';
  override readonly critical = false;
  override check(): HealthReport {
    throw new Error('mail is away');
  }
}

@Injectable()
class Circuit extends HealthContributor {
  override readonly name = 'circuit';
  override readonly refreshOn = ['availability.changed'] as const;
  status: HealthStatus = 'up';
  calls = 0;
  hangs = false;

  override check(): HealthReport | Promise<HealthReport> {
    this.calls += 1;
    return this.hangs ? new Promise(() => {}) : { status: this.status };
  }
}

@Injectable()
class Loop extends HealthContributor {
  override readonly name = 'loop';
  override readonly groups = ['liveness'] as const;
  override check(): HealthReport {
    return { status: 'up' };
  }
}

@Injectable()
class OtherDatabase extends HealthContributor {
  override readonly name = 'database';
  override check(): HealthReport {
    return { status: 'up' };
  }
}

let app: TestingModule | undefined;
const clock = new FakeClock();

async function start(...providers: Provider[]): Promise<TestingModule> {
  app = await Test.createTestingModule({ imports: [HealthCoreModule], providers })
    .overrideProvider(Clock)
    .useValue(clock)
    .compile();
  return app.init();
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('HealthAggregator', () => {
  it('finds every provider that extends HealthContributor, and asks it before the start is over', async () => {
    const running = await start(Database, { provide: 'MAIL', useFactory: () => new Mail() });
    expect(running.get(HealthAggregator).report()).toEqual({
      status: 'degraded',
      checks: [
        { name: 'database', status: 'up', critical: true, details: { pool: 5 } },
        { name: 'mail', status: 'down', critical: false, details: { reason: 'mail is away' } },
      ],
    });
  });

  it('is up when nobody has anything to say', async () => {
    const aggregator = (await start()).get(HealthAggregator);
    expect(aggregator.status()).toBe('up');
    expect(aggregator.report()).toEqual({ status: 'up', checks: [] });
  });

  it('looks again after every interval, and announces only what changes', async () => {
    const running = await start(Database);
    const database = running.get(Database);
    const changes: unknown[] = [];
    running.get(EventHub).on('health.changed', (change) => changes.push(change));

    await clock.advance(5_000);
    expect(database.calls).toBe(2);
    database.status = 'down';
    await clock.advance(5_000);
    await clock.advance(5_000);
    await clock.advance(5_000);
    database.status = 'up';
    await clock.advance(5_000);
    expect(changes).toEqual([
      { from: 'up', to: 'degraded' },
      { from: 'degraded', to: 'down' },
      { from: 'down', to: 'up' },
    ]);
  });

  it('looks every second until everything has been well once', async () => {
    const running = await start(Database, Mail);
    const database = running.get(Database);
    await clock.advance(3_000);
    expect(database.calls).toBe(4);
  });

  it('looks again soon after an event that a contributor names, once for a storm of them', async () => {
    const running = await start(Circuit, Database);
    const circuit = running.get(Circuit);
    const aggregator = running.get(HealthAggregator);
    const availability = running.get(Availability);
    circuit.status = 'degraded';
    availability.become('draining');
    running.get(EventHub).emit('availability.changed', { from: 'ready', to: 'draining' });
    await clock.advance(100);
    expect(circuit.calls).toBe(2);
    expect(running.get(Database).calls).toBe(1);
    expect(aggregator.status()).toBe('degraded');
  });

  it('asks nothing after an event while the answer before is still awaited', async () => {
    const running = await start(Circuit);
    const circuit = running.get(Circuit);
    circuit.hangs = true;
    void running.get(HealthAggregator).refresh();
    running.get(EventHub).emit('availability.changed', { from: 'ready', to: 'draining' });
    await clock.advance(100);
    expect(circuit.calls).toBe(2);
    expect(running.get(HealthAggregator).report().checks).toMatchObject([{ status: 'up' }]);
  });

  it('joins a round that is under way', async () => {
    const running = await start(Database);
    const aggregator = running.get(HealthAggregator);
    await Promise.all([aggregator.refresh(), aggregator.refresh()]);
    expect(running.get(Database).calls).toBe(2);
  });

  it('reports one group alone', async () => {
    const aggregator = (await start(Database, Loop)).get(HealthAggregator);
    expect(aggregator.report('liveness').checks.map((check) => check.name)).toEqual(['loop']);
    expect(aggregator.report('readiness').checks.map((check) => check.name)).toEqual(['database']);
  });

  it('stops the start when two contributors have one name', async () => {
    await expect(start(Database, OtherDatabase)).rejects.toThrow(
      'Two health contributors are called "database": Database and OtherDatabase. Give one of them another name.',
    );
  });

  it('stops looking when the application closes', async () => {
    const running = await start(Database);
    const database = running.get(Database);
    await running.close();
    await running.get(HealthAggregator).refresh();
    await clock.advance(60_000);
    expect(database.calls).toBe(1);
    expect(clock.waiting).toBe(0);
  });
});

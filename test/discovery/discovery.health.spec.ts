import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { DiscoveredHealth } from '../../lib/discovery/discovered-health.js';
import { DiscoveryClient } from '../../lib/discovery/discovery-client.js';
import { DiscoveryContributor } from '../../lib/discovery/discovery.contributor.js';
import { HealthAggregator } from '../../lib/health/health-aggregator.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { closeAt, listenToLog, startApplication } from './support/application.js';
import { ControlledBackend, instance } from './support/controlled-backend.js';

describe('what discovery says of health', () => {
  let clock: FakeClock;
  let backend: ControlledBackend;
  let app: INestApplication;
  let log: ReturnType<typeof listenToLog>;

  beforeEach(async () => {
    log = listenToLog();
    clock = new FakeClock();
    backend = new ControlledBackend();
    app = await startApplication({ discovery: { name: 'orders', backend: () => backend }, clock });
    await clock.advance(0);
  });
  afterEach(async () => {
    backend.registry.failure = undefined;
    await closeAt(clock, app);
    log.stop();
  });

  it('is well while the registry answers, and soon names what is registered', async () => {
    await clock.advance(50);
    const [check] = app.get(HealthAggregator).report().checks;
    expect(check?.details).toEqual(app.get(DiscoveryContributor).check().details);
    expect(app.get(DiscoveryContributor).check()).toEqual({
      status: 'up',
      details: {
        backend: 'controlled',
        registered: expect.stringMatching(/^orders-127\.0\.0\.1-/),
      },
    });
  });

  it('is degraded, never down, while the registry is away, and says since when', async () => {
    backend.registry.failure = new Error('connect ECONNREFUSED');
    await clock.advance(6_000);
    expect(app.get(HealthAggregator).report()).toEqual({
      status: 'degraded',
      checks: [
        {
          name: 'discovery',
          status: 'degraded',
          critical: false,
          details: {
            backend: 'controlled',
            registered: expect.any(String),
            reason: 'connect ECONNREFUSED',
            unreachableSince: expect.stringMatching(/^2026-01-01T00:00:0\d/),
          },
        },
      ],
    });
    backend.registry.failure = undefined;
    await clock.advance(6_000);
    expect(app.get(HealthAggregator).status()).toBe('up');
  });

  it('knows nothing of services that are in no registry, and watches none for asking', () => {
    expect(app.get(DiscoveredHealth).of('payments')).toBeUndefined();
    expect(app.get(DiscoveredHealth).of('../../etc')).toBeUndefined();
    expect([...backend.source.watched.keys()]).toEqual(['orders']);
  });

  it('knows how other services are, without asking them', async () => {
    const health = app.get(DiscoveredHealth);
    backend.source.list.push({ snapshot: ['orders', 'payments'] });
    await clock.advance(0);
    expect(health.of('payments')).toEqual({
      status: 'degraded',
      details: { reason: 'looked up now; ask again' },
    });
    const well = instance({ id: 'p1', service: 'payments' });
    backend.show('payments', well);
    await clock.advance(0);
    expect(health.of('payments')).toEqual({
      status: 'up',
      details: {
        instances: [{ id: 'p1', host: '127.0.0.1', port: 3001, status: 'up' }],
        available: 1,
      },
    });
    backend.show('payments', well, { ...well, id: 'p2', status: 'down' });
    await clock.advance(0);
    expect(health.of('payments')).toMatchObject({ status: 'degraded', details: { available: 1 } });
    backend.show('payments', { ...well, status: 'down' }, { ...well, id: 'p2', status: 'down' });
    await clock.advance(0);
    expect(health.of('payments')).toMatchObject({ status: 'down', details: { available: 0 } });
    backend.break('payments');
    await clock.advance(0);
    expect(health.of('payments')).toMatchObject({ status: 'down', details: { stale: true } });
    expect(app.get(DiscoveryClient).view('payments').stale).toBe(true);
  });
});

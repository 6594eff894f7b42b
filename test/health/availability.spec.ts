import { afterEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventHub } from '../../lib/common/event-hub.js';
import { Availability } from '../../lib/health/availability.js';
import { HealthCoreModule } from '../../lib/health/health-core.module.js';

const running: INestApplicationContext[] = [];

afterEach(async () => {
  for (const app of running.splice(0)) await app.close();
});

describe('Availability', () => {
  it('is starting until the HTTP server listens, then ready, then draining when the application closes', async () => {
    const app = await NestFactory.create(HealthCoreModule, { logger: false });
    const availability = app.get(Availability);
    const changes: unknown[] = [];
    app.get(EventHub).on('availability.changed', (change) => changes.push(change));
    await app.init();
    expect(availability.state).toBe('starting');
    await app.listen(0, '127.0.0.1');
    expect(availability.state).toBe('ready');
    await app.close();
    expect(changes).toEqual([
      { from: 'starting', to: 'ready' },
      { from: 'ready', to: 'draining' },
    ]);
  });

  it('is ready at once in an application without a server', async () => {
    const app = await NestFactory.createApplicationContext(HealthCoreModule, { logger: false });
    running.push(app);
    expect(app.get(Availability).state).toBe('ready');
  });

  it('never comes back from draining', () => {
    const availability = new Availability(new EventHub());
    availability.become('draining');
    availability.become('ready');
    expect(availability.state).toBe('draining');
  });
});

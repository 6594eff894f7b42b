import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BackendRefusedError } from '../../lib/discovery/discovery.errors.js';
import { Registration } from '../../lib/discovery/registration.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { ControlledBackend, instance } from './support/controlled-backend.js';

describe('a registration', () => {
  let clock: FakeClock;
  let registry: ControlledBackend['registry'];
  let registration: Registration;
  let current: ServiceInstance;
  let shown: boolean | undefined;
  let told: string[];

  function begin(): void {
    registration = new Registration({
      registry,
      clock,
      heartbeat: 5_000,
      instance: () => current,
      isShown: () => shown,
      onRegistered: ({ status }) => told.push(`registered ${status}`),
      onLost: (_, why) => told.push(`lost: ${why}`),
      onFailure: (error) => told.push(`failed: ${(error as Error).message}`),
      onAnswer: () => undefined,
    });
  }

  const away = new Error('connect ECONNREFUSED');
  const calls = (of: string) => registry.calls.filter((call) => call.startsWith(of)).length;

  beforeEach(() => {
    clock = new FakeClock();
    registry = new ControlledBackend().registry;
    current = instance();
    shown = undefined;
    told = [];
  });
  afterEach(async () => {
    registry.failure = undefined;
    await registration.stop();
  });

  it('registers at once and then renews with every beat', async () => {
    begin();
    await clock.advance(0);
    expect(registry.calls).toEqual(['register up']);
    await clock.advance(5_500);
    expect(registry.calls).toEqual(['register up', 'renew up']);
    await clock.advance(50_000);
    expect(calls('renew')).toBeGreaterThanOrEqual(10);
    expect(calls('renew')).toBeLessThanOrEqual(12);
    expect(told).toEqual(['registered up']);
  });

  it('does not beat in step with others', async () => {
    const moments = new Set<number>();
    begin();
    for (let beat = 0; beat < 20; beat++) {
      const before = registry.calls.length;
      const from = clock.now();
      while (registry.calls.length === before) await clock.advance(50);
      moments.add(clock.now() - from);
    }
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(4_400);
    expect(Math.max(...moments)).toBeLessThanOrEqual(5_600);
    expect(moments.size).toBeGreaterThan(2);
  });

  it('registers again when the registry has forgotten it', async () => {
    begin();
    await clock.advance(20_000);
    registry.answer = 'lost';
    while (told.length === 1) await clock.advance(100);
    registry.answer = 'ok';
    expect(told).toEqual(['registered up', 'lost: forgotten', 'registered up']);
    expect(registration.registered).toEqual(current);
  });

  it('registers again as soon as the lease says that it is lost', async () => {
    begin();
    await clock.advance(6_000);
    registry.lose();
    await clock.advance(0);
    expect(told).toEqual(['registered up', 'lost: forgotten', 'registered up']);
  });

  it('does not ask in a hot loop a registry that forgets at once', async () => {
    registry.answer = 'lost';
    registry.renewEvery = 20;
    begin();
    await clock.advance(60_000);
    expect(calls('register')).toBeLessThan(100);
    expect(calls('register')).toBeGreaterThan(3);
  });

  it('tries for ever while the registry is away, and never faster than half of the first wait', async () => {
    registry.failure = away;
    begin();
    await clock.advance(60_000);
    const tries = calls('register');
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(200);
    expect(registration.registered).toBeUndefined();
    registry.failure = undefined;
    await clock.advance(5_000);
    expect(registration.registered).toEqual(current);
  });

  it('keeps its lease and tries again soon when a renewal fails', async () => {
    begin();
    await clock.advance(6_000);
    registry.failure = away;
    await clock.advance(20_000);
    expect(registration.registered).toEqual(current);
    registry.failure = undefined;
    const before = calls('renew');
    await clock.advance(5_000);
    expect(calls('renew')).toBeGreaterThan(before);
    expect(calls('register')).toBe(1);
  });

  it('gives a registry that refuses it time until a person has mended something', async () => {
    registry.failure = new BackendRefusedError('the token may not write this service');
    begin();
    await clock.advance(44_000);
    expect(calls('register')).toBe(3);
  });

  it('registers again when it does not see itself for longer than one heartbeat', async () => {
    shown = true;
    begin();
    await clock.advance(20_000);
    shown = false;
    const from = clock.now();
    while (told.length === 1) await clock.advance(100);
    expect(told).toEqual(['registered up', 'lost: not shown', 'registered up']);
    expect(clock.now() - from).toBeGreaterThan(5_000);
    expect(clock.now() - from).toBeLessThan(17_000);
  });

  it('forgives being out of sight for a moment', async () => {
    shown = true;
    begin();
    for (let round = 0; round < 5; round++) {
      shown = false;
      await clock.advance(4_000);
      shown = true;
      await clock.advance(6_000);
    }
    expect(calls('register')).toBe(1);
  });

  it('tells a new status at once, and of a lease without beats too', async () => {
    registry.renewEvery = undefined;
    begin();
    await clock.advance(60_000);
    expect(registry.calls).toEqual(['register up']);
    current = instance({ status: 'degraded' });
    registration.refresh();
    await clock.advance(0);
    expect(registry.calls).toEqual(['register up', 'renew degraded']);
  });

  it('registers again when the instance says something else of itself', async () => {
    begin();
    await clock.advance(1_000);
    current = instance({ metadata: { team: 'blue' } });
    registration.replace();
    await clock.advance(0);
    expect(registry.registrations).toEqual([instance(), current]);
    expect(calls('revoke')).toBe(0);
  });

  it('does not lose a change that comes during a call', async () => {
    const open = registry.shut();
    begin();
    await clock.advance(0);
    current = instance({ metadata: { team: 'blue' } });
    registration.replace();
    open();
    await clock.advance(0);
    expect(registration.registered).toEqual(current);
  });

  it('does not ask in a hot loop when a change cannot be registered', async () => {
    begin();
    await clock.advance(1_000);
    registry.failure = away;
    registration.replace();
    await clock.advance(5_000);
    expect(calls('register')).toBeLessThan(60);
  });

  it('takes itself back and never registers again', async () => {
    begin();
    await clock.advance(1_000);
    expect(await registration.stop()).toEqual(current);
    registry.lose();
    registration.replace();
    registration.refresh();
    await clock.advance(60_000);
    expect(registry.calls).toEqual(['register up', 'revoke']);
    expect(clock.waiting).toBe(0);
  });

  it('waits for a register under way before it takes itself back', async () => {
    const open = registry.shut();
    begin();
    await clock.advance(0);
    const stopped = registration.stop();
    await clock.advance(1_000);
    expect(registry.calls).toEqual(['register up']);
    open();
    expect(await stopped).toEqual(current);
    expect(registry.calls).toEqual(['register up', 'revoke']);
  });

  it('does not wait for ever for a register that hangs', async () => {
    registry.gate = new Promise(() => {});
    begin();
    const stopped = registration.stop();
    await clock.advance(2_000);
    expect(await stopped).toBeUndefined();
  });

  it('leaves even when the registry does not answer', async () => {
    begin();
    await clock.advance(1_000);
    registry.failure = away;
    expect(await registration.stop()).toEqual(current);
    expect(told.at(-1)).toBe('failed: connect ECONNREFUSED');
  });
});

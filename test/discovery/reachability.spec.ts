import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';
import { Reachability } from '../../lib/discovery/reachability.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { listenToLog } from './support/application.js';

describe('whether the registry can be reached', () => {
  let clock: FakeClock;
  let reachability: Reachability;
  let heard: string[];
  let log: ReturnType<typeof listenToLog>;

  beforeEach(() => {
    log = listenToLog();
    clock = new FakeClock();
    heard = [];
    const events = new EventHub();
    events.onAny((name) => heard.push(name));
    reachability = new Reachability({ name: 'consul' }, clock, events);
  });
  afterEach(() => log.stop());

  it('is announced at once, and told to a person when it does not heal within a second', async () => {
    reachability.failed('services', new Error('refused'));
    reachability.failed('registration', new Error('refused'));
    expect(heard).toEqual(['registry.unreachable']);
    expect(reachability).toMatchObject({ reason: 'refused', since: clock.wallTime() });
    expect(log.lines).toEqual([]);
    await clock.advance(60_000);
    expect(log.lines).toEqual([
      expect.stringContaining('The registry "consul" does not answer (services: refused).'),
    ]);
    reachability.succeeded('services');
    expect(heard).toEqual(['registry.unreachable']);
    reachability.succeeded('registration');
    expect(heard).toEqual(['registry.unreachable', 'registry.reachable']);
    expect(reachability.reason).toBeUndefined();
  });

  it('tells nobody of an outage that heals by itself', async () => {
    reachability.failed('services', new Error('the holder has left'));
    await clock.advance(300);
    reachability.succeeded('services');
    await clock.advance(60_000);
    expect(log.lines).toEqual([]);
    expect(heard).toEqual(['registry.unreachable', 'registry.reachable']);
  });
});

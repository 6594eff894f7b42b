import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { embedded } from '../../lib/discovery/backends/embedded.backend.js';
import { Holder } from '../../lib/discovery/backends/embedded-holder.js';
import type { DiscoveryBackend } from '../../lib/discovery/discovery-backend.js';
import { Registration } from '../../lib/discovery/registration.js';
import { type Lease, ServiceRegistry } from '../../lib/discovery/service-registry.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { eventually } from '../support/eventually.js';
import { freePort, makeContext, makeInstance } from './backends/support/backend-fixtures.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const TTL = MINUTE;
/** Less than the time a call may take, so that a call under way is answered before its time is over. */
const STEP = 4 * SECOND;

/** Counts the calls that are under way, and knows when the registry has heard the last of them. */
class CountedRegistry extends ServiceRegistry {
  pending = 0;
  heardAt = 0;

  constructor(
    private readonly inner: ServiceRegistry,
    private readonly serverClock: FakeClock,
  ) {
    super();
  }

  override async register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    const lease = await this.count(() => this.inner.register(instance, signal));
    return {
      renewEvery: lease.renewEvery ?? 0,
      ...(lease.lost && { lost: lease.lost }),
      renew: (status, given) => this.count(() => lease.renew(status, given)),
      revoke: (given) => lease.revoke(given),
    };
  }

  private async count<T>(call: () => Promise<T>): Promise<T> {
    this.pending += 1;
    try {
      const answer = await call();
      this.heardAt = this.serverClock.now();
      return answer;
    } finally {
      this.pending -= 1;
    }
  }
}

/** Numbers that look random and are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a lease, while clocks jump', () => {
  let server: FakeClock;
  let own: FakeClock;
  let holder: Holder;
  let backend: DiscoveryBackend;
  let registry: CountedRegistry;
  let registration: Registration;
  let losses: number;

  beforeEach(async () => {
    [server, own] = [new FakeClock(), new FakeClock()];
    const port = await freePort();
    const at = { host: '127.0.0.1', port, token: undefined, clock: server };
    const bound = await Holder.bind(at);
    if (!bound) throw new Error('somebody took the port');
    holder = bound;
    const context = makeContext({ clock: own, ttl: TTL, heartbeat: TTL / 3 });
    backend = embedded({ url: `tcp://127.0.0.1:${port}` })(context);
    if (!backend.registry) throw new Error('no registry');
    registry = new CountedRegistry(backend.registry, server);
    losses = 0;
    registration = new Registration({
      registry,
      clock: own,
      heartbeat: TTL / 3,
      instance: () => makeInstance(),
      isShown: () => undefined,
      onRegistered: () => undefined,
      onLost: () => (losses += 1),
      onFailure: (error) => {
        throw error as Error;
      },
      onAnswer: () => undefined,
    });
    await eventually(() => expect(isThere()).toBe(true));
    await settled();
  });
  afterEach(async () => {
    await registration.stop();
    await backend.close?.();
    await holder.close();
  });

  const isThere = () => holder.table('default').instances('orders').length === 1;

  /** Waits until nothing is under way between the two. */
  async function settled(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve));
    while (registry.pending > 0);
  }

  /** Both run. */
  async function run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP) {
      await own.advance(Math.min(left, STEP));
      await settled();
      await server.advance(Math.min(left, STEP));
      await settled();
    }
  }

  /** Both sleep, as two processes on a laptop do; the one that wakes up first may be the registry. */
  async function sleepBoth(long: number, registryFirst: boolean): Promise<void> {
    // A sleep that ends less than a second after the lease's time cannot be told from silence.
    const over = server.now() + long - (registry.heardAt + TTL);
    const ms = over >= 0 && over < SECOND ? long + SECOND : long;
    for (const clock of registryFirst ? [server, own] : [own, server]) await clock.suspend(ms);
    await settled();
  }

  /** The registry runs and the instance stands still; the lease must end exactly when its time is over. Whether it did. */
  async function freeze(ms: number): Promise<boolean> {
    const [rest, before] = [registry.heardAt + TTL - server.now(), losses];
    const ends = ms >= rest;
    await server.advance(ends ? rest - 1 : ms);
    expect(losses).toBe(before);
    // Its socket cannot stand still here: it hears at once what it would read when it wakes up.
    if (ends) await server.advance(1);
    if (ends) await eventually(() => expect(losses).toBe(before + 1));
    await eventually(() => expect(isThere()).toBe(true));
    await settled();
    await own.suspend(ends ? rest : ms);
    await settled();
    return ends;
  }

  it.each([1, 2, 3])(
    'is not lost in 24 hours of jumps and sleep, nor kept beyond its time (seed %i)',
    async (seed) => {
      const random = randomFrom(seed);
      const between = (least: number, most: number) =>
        Math.round(least + random() * (most - least));
      const done = { jumps: 0, sleeps: 0, frozen: 0 };
      let expected = 0;
      while (server.now() < 24 * HOUR) {
        const kind = random();
        if (kind < 0.4) {
          done.jumps += 1;
          for (const clock of [own, server]) clock.shiftWallTime(between(-24 * HOUR, 24 * HOUR));
        } else if (kind < 0.7) {
          done.sleeps += 1;
          await sleepBoth(between(SECOND, HOUR), random() < 0.5);
          await run(TTL / 2);
        } else if (kind < 0.8) {
          done.frozen += 1;
          if (await freeze(between(SECOND, 3 * MINUTE))) expected += 1;
        }
        await run(between(SECOND, 5 * MINUTE));
        expect(isThere()).toBe(true);
        expect(losses).toBe(expected);
      }
      for (const count of Object.values(done)) expect(count).toBeGreaterThan(5);
    },
    30_000,
  );
});

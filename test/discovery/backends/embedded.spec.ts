import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../../lib/common/clock.js';
import { Live } from '../../../lib/common/live.js';
import {
  embedded,
  type EmbeddedOptions,
} from '../../../lib/discovery/backends/embedded.backend.js';
import type { DiscoveryBackend } from '../../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../../lib/discovery/service-instance.js';
import type { Lease } from '../../../lib/discovery/service-registry.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { describeDiscoveryBackend } from '../../../lib/testing/discovery-backend.contract.js';
import { freePort, makeContext, makeInstance, readFirst } from './support/backend-fixtures.js';
import { eventually } from '../../support/eventually.js';

const port = await freePort();

describeDiscoveryBackend('embedded', () => embedded({ port }), {
  describe,
  it,
  // Without its leases revoked first, a backend that closes is to the others a process that was killed.
  crash: (backend) => backend.close?.(),
});

/** A process of the system: it registers one instance, again whenever the lease is lost, and watches them all. */
class Process {
  readonly seen: number[] = [];
  readonly live: Live<readonly ServiceInstance[]>;
  private dead = false;
  private lease: Lease | undefined;

  constructor(
    readonly backend: DiscoveryBackend,
    readonly instance: ServiceInstance,
  ) {
    this.live = new Live({
      clock: new SystemClock(),
      open: (signal) => backend.source.instances(instance.service, signal),
    });
    this.live.onChange((all) => this.seen.push(all.length));
  }

  get ids(): string[] {
    return this.live.current.map((each) => each.id).toSorted();
  }

  /** Registers, and from then on again at every loss. */
  async register(): Promise<void> {
    const { registry } = this.backend;
    this.lease = await registry?.register(this.instance, new AbortController().signal);
    void this.lease?.lost?.then(() => this.registerAgain());
  }

  private registerAgain(): void {
    if (!this.dead) this.register().catch(() => this.registerAgain());
  }

  async die(): Promise<void> {
    this.dead = true;
    this.live.close();
    await this.backend.close?.();
  }

  async leave(): Promise<void> {
    await this.lease?.revoke(new AbortController().signal);
    await this.die();
  }
}

/** Nothing in these tests renews a lease. */
const PATIENT = { ttl: 60_000 };

describe('embedded, when processes come and go', () => {
  let processes: Process[];
  let started = 0;
  let port: number;

  beforeEach(async () => {
    processes = [];
    port = await freePort();
  });
  afterEach(() => Promise.all(processes.map((process) => process.die())));

  async function start(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      const backend = embedded({ port })(makeContext(PATIENT));
      processes.push(new Process(backend, makeInstance({ id: `orders-${started++}` })));
    }
    await Promise.all(processes.map((process) => process.register()));
    await everybodySees(processes);
  }

  async function everybodySees(some: readonly Process[]): Promise<void> {
    const ids = some.map(({ instance }) => instance.id).toSorted();
    await eventually(() => {
      for (const process of some) expect(process.ids).toEqual(ids);
    });
  }

  it('agrees on one table when all start at the same moment', async () => {
    await start(12);
    expect(processes).toHaveLength(12);
  });

  it('sees the death of an ordinary process at once', async () => {
    await start(1);
    await start(3);
    // Their time to live is a minute, so that only the end of its connection can tell.
    await processes.pop()?.die();
    await everybodySees(processes);
  });

  it.each(['dies', 'leaves politely'])(
    'heals when the holder %s, and shows nobody a table half filled',
    async (how) => {
      await start(1);
      await start(5);
      const holder = processes.shift();
      for (const { seen } of processes) seen.length = 0;
      if (how === 'dies') await holder?.die();
      else await holder?.leave();
      await eventually(() => {
        for (const { seen } of processes) expect(seen.at(-1)).toBe(5);
      });
      await everybodySees(processes);
      for (const { seen } of processes) expect(Math.min(...seen)).toBe(5);
    },
  );

  it('drops the own instances of a holder with it, and no others', async () => {
    await start(1);
    await start(2);
    const last: string[][] = [];
    const newcomer = embedded({ port })(makeContext(PATIENT));
    const reading = (async () => {
      for await (const all of newcomer.source.instances('orders', new AbortController().signal))
        last.push(all.map(({ id }) => id));
    })();
    await eventually(() => expect(last.at(-1)).toHaveLength(3));
    const broken = expect(reading).rejects.toThrow('The connection to the embedded registry');
    await processes.shift()?.die();
    await broken;
    expect(last.at(-1)).toEqual(processes.map(({ instance }) => instance.id));
    await newcomer.close?.();
  });

  it('heals again and again', async () => {
    await start(1);
    await start(4);
    for (let round = 0; round < 3; round++) {
      const holder = processes.shift();
      await holder?.die();
      await everybodySees(processes);
    }
    await start(2);
  });

  it('does not let a newcomer without a past show half a table to those who have one', async () => {
    await start(1);
    await start(3);
    const holder = processes.shift();
    for (const { seen } of processes) seen.length = 0;
    const newcomer = new Process(
      embedded({ port })(makeContext(PATIENT)),
      makeInstance({ id: 'new' }),
    );
    await Promise.all([holder?.die(), newcomer.register()]);
    processes.push(newcomer);
    await everybodySees(processes);
    for (const { seen } of processes.slice(0, 3))
      expect(Math.min(...seen)).toBeGreaterThanOrEqual(3);
  });

  it('resolves lost, and answers lost, when the connection ends', async () => {
    await start(1);
    const other = embedded({ port })(makeContext());
    const { signal } = new AbortController();
    const lease = await other.registry?.register(makeInstance({ id: 'other' }), signal);
    await processes.shift()?.die();
    await lease?.lost;
    expect(await lease?.renew('up', signal)).toBe('lost');
    await expect(lease?.revoke(signal)).resolves.toBeUndefined();
    await other.close?.();
  });

  it('refuses an instance too large to send, and keeps its others', async () => {
    await start(1);
    const metadata = { big: 'x'.repeat(1_048_576) };
    const registering = processes[0]?.backend.registry?.register(
      makeInstance({ id: 'big', metadata }),
      new AbortController().signal,
    );
    await expect(registering).rejects.toMatchObject({ code: 'ERR_BACKEND_REFUSED' });
    await start(1);
    expect(processes[1]?.ids).toHaveLength(2);
  });

  it('has nothing to say after it was closed', async () => {
    const backend = embedded({ port })(makeContext());
    await backend.close?.();
    await expect(readFirst(backend.source.services(new AbortController().signal))).rejects.toThrow(
      'has left the embedded registry',
    );
  });
});

describe('embedded, when a process falls silent', () => {
  const { signal } = new AbortController();
  const ttl = 3_000;
  const instance = makeInstance();
  let clock: FakeClock;
  let holder: DiscoveryBackend;
  let member: DiscoveryBackend;

  beforeEach(async () => {
    const port = await freePort();
    clock = new FakeClock();
    holder = embedded({ port })(makeContext({ clock, ttl: 60_000 }));
    await services(holder);
    member = embedded({ port })(makeContext({ ttl, heartbeat: 1_000 }));
  });
  afterEach(async () => {
    await member.close?.();
    await holder.close?.();
  });

  async function register(): Promise<Lease> {
    const lease = await member.registry?.register(instance, signal);
    if (!lease) throw new Error('no registry');
    return lease;
  }

  it('forgets it when its time to live is over, and takes it again when it wakes', async () => {
    const lease = await register();
    await clock.advance(ttl - 1);
    expect(await services(holder)).toEqual(['orders']);
    await clock.advance(1);
    await lease.lost;
    expect(await services(holder)).toEqual([]);
    expect(await lease.renew('up', signal)).toBe('lost');
    await register();
    expect(await services(holder)).toEqual(['orders']);
  });

  it('tells it so, that it does not take the holder for dead', async () => {
    await holder.registry?.register(makeInstance({ id: 'own' }), signal);
    const seen: string[][] = [];
    const reading = (async () => {
      for await (const all of member.source.instances('orders', signal))
        seen.push(all.map(({ id }) => id));
    })();
    const broken = expect(reading).rejects.toThrow('no word within 3000 ms');
    await register();
    await eventually(() => expect(seen.at(-1)).toEqual(['own', 'orders-1']));
    await clock.advance(ttl);
    await broken;
    for (const ids of seen) expect(ids).toContain('own');
  });

  it('keeps it as long as its lease is renewed, as often as the lease says', async () => {
    const lease = await register();
    expect(lease.renewEvery).toBe(1_000);
    for (let i = 0; i < 5; i++) {
      await clock.advance(ttl - 1);
      expect(await lease.renew('up', signal)).toBe('ok');
    }
    expect(await services(holder)).toEqual(['orders']);
  });

  it('does not mind the silence of one that has nothing registered', async () => {
    const lease = await register();
    await lease.revoke(signal);
    await clock.advance(10 * ttl);
    expect(await lease.renew('up', signal)).toBe('ok');
  });
});

function services(backend: DiscoveryBackend): Promise<readonly string[]> {
  return readFirst(backend.source.services(new AbortController().signal));
}

describe('embedded with a token', () => {
  const backends: DiscoveryBackend[] = [];
  afterEach(async () => {
    for (const backend of backends.splice(0)) await backend.close?.();
  });

  function join(options: EmbeddedOptions): DiscoveryBackend {
    const backend = embedded(options)(makeContext());
    backends.push(backend);
    return backend;
  }

  it('takes who knows it', async () => {
    const port = await freePort();
    await services(join({ port, token: 'one' }));
    expect(await services(join({ port, token: 'one' }))).toEqual([]);
  });

  it.each([
    ['another token', { token: 'one' }, { token: 'two' }],
    ['no token where one is asked for', { token: 'one' }, {}],
    ['a token where none is asked for', {}, { token: 'two' }],
  ])('does not take who comes with %s', async (_, holder, member) => {
    const port = await freePort();
    await services(join({ port, ...holder }));
    await expect(services(join({ port, ...member }))).rejects.toMatchObject({
      code: 'ERR_BACKEND_REFUSED',
      message: expect.stringMatching(/does not take us: .*the same embedded\.token/),
    });
  });

  it('is needed where other machines can reach the port', () => {
    expect(() => embedded({ host: '0.0.0.0' })).toThrow(
      "embedded.host is '0.0.0.0', which other machines can reach. Give every process the same embedded.token, or listen at '127.0.0.1'.",
    );
    expect(embedded({ host: '0.0.0.0', token: 'one' })(makeContext()).remote).toBe(true);
    expect(embedded({ host: 'localhost' })(makeContext()).remote).toBe(false);
  });

  it('refuses options it does not know', () => {
    expect(() => embedded({ prot: 1 } as EmbeddedOptions)).toThrow('Did you mean "port"?');
    expect(() => embedded({ port: 70_000 })).toThrow('embedded.port is 70000');
  });
});

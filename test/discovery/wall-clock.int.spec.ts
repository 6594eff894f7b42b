import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../lib/common/clock.js';
import { Live } from '../../lib/common/live.js';
import { consul } from '../../lib/discovery/backends/consul.backend.js';
import { embedded } from '../../lib/discovery/backends/embedded.backend.js';
import { etcd } from '../../lib/discovery/backends/etcd.backend.js';
import { redis } from '../../lib/discovery/backends/redis.backend.js';
import type { DiscoveryBackend } from '../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { startAgent } from '../support/consul/agent.mjs';
import { eventually } from '../support/eventually.js';
import { startEtcd, startRedis } from '../support/servers/server.mjs';
import { freePort, makeContext } from './backends/support/backend-fixtures.js';
import { SettableTime } from './support/faketime.js';
import type { Report } from './support/leased-process.js';

const PROGRAM = new URL('./support/leased-process.ts', import.meta.url);
const TYPESCRIPT = new URL('./backends/support/typescript.mjs', import.meta.url);
const HOUR = 3_600;
const { ttl, heartbeat } = makeContext();

/** A process that keeps an instance registered everywhere, and whose time of day can be set. */
class LeasedProcess {
  readonly time = new SettableTime();
  report: Report = { wallTime: 0, leases: {} };
  private readonly child: ChildProcess;

  constructor(urls: Readonly<Record<string, string>>, id: string) {
    this.child = fork(PROGRAM, [JSON.stringify(urls), id], {
      execArgv: ['--no-warnings', '--import', TYPESCRIPT.href],
      env: { ...process.env, ...this.time.environment },
    });
    this.child.on('message', (report: Report) => (this.report = report));
  }

  /** How far its time of day is from ours, in seconds. */
  get offset(): number {
    return (this.report.wallTime - Date.now()) / 1_000;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name);
  }

  async end(): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
    this.time.remove();
  }
}

/** What somebody else sees of the service in one registry, and the least it has seen since the last look. */
interface View {
  readonly backend: DiscoveryBackend;
  readonly live: Live<readonly ServiceInstance[]>;
  least: number;
}

/** Consul shows an instance whose lease is over as one that is down, for a while. */
const callable = (instances: readonly ServiceInstance[] = []) =>
  instances.filter(({ status }) => status === 'up').length;

describe('the time of day, when it jumps by an hour', () => {
  const ends: (() => unknown)[] = [];
  const views = new Map<string, View>();
  const processes: LeasedProcess[] = [];

  beforeAll(async () => {
    const [agent, etcdServer, redisServer] = [
      await startAgent(),
      await startEtcd(),
      await startRedis(),
    ];
    for (const server of [agent, etcdServer, redisServer]) ends.push(() => server.stop());
    const urls = {
      consul: agent.url,
      embedded: `tcp://127.0.0.1:${await freePort()}`,
      etcd: etcdServer.url,
      redis: redisServer.url,
    };
    const backends = {
      consul: consul({ url: urls.consul }),
      embedded: embedded({ url: urls.embedded }),
      etcd: etcd({ url: urls.etcd }),
      redis: redis({ url: urls.redis }),
    };
    for (const [name, make] of Object.entries(backends)) {
      const backend = make(makeContext());
      const live = new Live({
        clock: new SystemClock(),
        open: (signal) => backend.source.instances('orders', signal),
      });
      const view: View = { backend, live, least: 0 };
      live.onChange((all) => (view.least = Math.min(view.least, callable(all))));
      views.set(name, view);
    }
    // The first one holds the embedded registry.
    for (const count of [1, 2]) {
      processes.push(new LeasedProcess(urls, `orders-${count}`));
      await eventually(() => expect(counts()).toEqual(everywhere(count)), 30_000);
    }
  }, 60_000);
  afterAll(async () => {
    for (const { live, backend } of views.values()) {
      live.close();
      await backend.close?.();
    }
    for (const each of processes) await each.end();
    for (const end of ends) await end();
  }, 30_000);

  const ofViews = (field: (view: View) => unknown) =>
    Object.fromEntries([...views].map(([name, view]) => [name, field(view)]));
  const counts = () => ofViews(({ live }) => callable(live.current));
  const least = () => ofViews((view) => view.least);
  const everywhere = (count: number) => ofViews(() => count);

  function lookAnew(): void {
    for (const view of views.values()) view.least = callable(view.live.current);
  }

  /** Waits until each lease would be over if it had not been renewed since. */
  async function outliveLeases(): Promise<void> {
    const before = processes.map(({ report }) => report.leases);
    await eventually(() => {
      for (const [at, { report }] of processes.entries())
        for (const [name, { renewed }] of Object.entries(report.leases)) {
          const times = renewed - (before[at]?.[name]?.renewed ?? 0);
          expect(times * heartbeat).toBeGreaterThan(ttl + heartbeat);
        }
    }, 30_000);
  }

  it.each([
    ['forwards for one process', [HOUR, 0]],
    ['back for one and forwards for the other', [-HOUR, HOUR]],
    ['forwards for one and back for the other', [HOUR, -HOUR]],
  ])(
    'loses no lease and hides nobody: %s',
    async (_, offsets) => {
      lookAnew();
      for (const [at, { time }] of processes.entries()) time.set(offsets[at] ?? 0);
      await eventually(() => {
        for (const [at, { offset }] of processes.entries())
          expect(offset).toBeCloseTo(offsets[at] ?? 0, -2);
      });
      await outliveLeases();
      expect(counts()).toEqual(everywhere(2));
      expect(least()).toEqual(everywhere(2));
      for (const { report } of processes)
        for (const { lost } of Object.values(report.leases)) expect(lost).toBe(0);
    },
    60_000,
  );

  it.each([
    ['forwards', HOUR],
    ['back', -HOUR],
  ])(
    'keeps no lease beyond its time: %s while one process stands still',
    async (_, jump) => {
      const [holder, frozen] = processes;
      const { time } = holder ?? {};
      frozen?.signal('SIGSTOP');
      const from = performance.now();
      time?.set(jump);
      lookAnew();
      await eventually(() => expect(counts()).toEqual(everywhere(1)), 30_000);
      expect(holder?.offset).toBeCloseTo(jump, -2);
      // A registry looks for what is over in steps of its own.
      expect(performance.now() - from).toBeLessThan(3 * ttl);
      expect(least()).toEqual(everywhere(1));
      frozen?.signal('SIGCONT');
      await eventually(() => expect(counts()).toEqual(everywhere(2)), 30_000);
    },
    60_000,
  );
});

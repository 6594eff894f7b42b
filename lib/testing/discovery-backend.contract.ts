import assert from 'node:assert/strict';
import type { BackendFactory, DiscoveryBackend } from '../discovery/discovery-backend.js';
import { type ServiceInstance, takesTraffic } from '../discovery/service-instance.js';
import { DiscoveryStage, randomName } from './discovery-stage.js';

/** The functions of a test runner; those of Jest, Vitest, Mocha and `node:test` fit as they are. */
export interface ContractRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

export interface DiscoveryContractOptions extends Partial<ContractRunner> {
  /**
   * How a process dies without a word: `'expires'` where registrations end by themselves when they are not renewed, or
   * a function that breaks what holds this backend's registrations. @default a crash is not tried
   */
  readonly crash?: 'expires' | ((backend: DiscoveryBackend) => unknown);
  /** Makes the registry forget everything. @default forgetting is not tried */
  readonly forget?: () => unknown;
  /** How long a registration outlives its last heartbeat, in ms. @default 2000 */
  readonly ttl?: number;
  /** How long to wait for what must come, in ms. @default 4000 */
  readonly patience?: number;
}

/**
 * What every discovery backend must do, as a test suite.
 *
 * It needs no package: checks are Node's own assertions, and the runner's `describe` and `it` are the global ones
 * unless they are given. Each scenario uses services of its own and, on a healthy
 * backend, ends within 5 s.
 *
 * @param name what the backend is called in the report
 * @param make makes a factory; everything it makes must meet in one registry, as the processes of one system do
 * @example
 * describeDiscoveryBackend('my registry', () => myRegistry({ url }), { crash: 'expires' });
 */
export function describeDiscoveryBackend(
  name: string,
  make: () => BackendFactory,
  options: DiscoveryContractOptions = {},
): void {
  const { describe, it } = { ...(globalThis as unknown as ContractRunner), ...options };
  describe(`${name} as a discovery backend`, () => {
    for (const [sentence, scenario] of Object.entries(chooseScenarios(options))) {
      it(sentence, async () => {
        const stage = new DiscoveryStage(make, options);
        try {
          await scenario(stage, options);
        } finally {
          await stage.close();
        }
      });
    }
  });
}

type Scenario = (stage: DiscoveryStage, options: DiscoveryContractOptions) => Promise<void>;

function chooseScenarios(options: DiscoveryContractOptions): Readonly<Record<string, Scenario>> {
  return {
    ...SCENARIOS,
    ...(options.crash && { 'takes no traffic to an instance that has died': dies }),
    ...(options.forget && { 'tells the owner of a lease that it was forgotten': forgets }),
  };
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'shows an instance that was registered, with all its fields': async (stage) => {
    const [writer, reader] = [stage.join(), stage.join()];
    const instance = stage.instance({
      ports: { tcp: 4_001, grpc: 5_001 },
      scheme: 'https',
      weight: 3,
      zone: 'zone-a',
      version: '1.2.3',
      tags: ['blue', 'canary'],
      metadata: { team: 'checkout', 'a_b-C': 'with spaces, "quotes" and ümlauts' },
    });
    const view = reader.watch(instance.service);
    await writer.register(instance);
    await stage.eventually(() => assert.deepEqual(view.current, [instance]));
  },

  'knows nothing of an unknown service, and says so at once': async (stage) => {
    const view = stage.join().watch(stage.service());
    await stage.eventually(() => assert.deepEqual(view.current, []));
  },

  'shows a change of status': async (stage) => {
    const [writer, reader] = [stage.join(), stage.join()];
    const instance = stage.instance();
    const view = reader.watch(instance.service);
    const lease = await writer.register(instance);
    for (const status of ['degraded', 'draining', 'up', 'down', 'up'] as const) {
      assert.equal(await lease.renew(status, stage.signal), 'ok');
      await stage.eventually(() => assert.deepEqual(view.current, [{ ...instance, status }]));
    }
  },

  'shows an instance that registers while it drains as draining': async (stage) => {
    const instance = stage.instance({ status: 'draining' });
    const peer = stage.join();
    await peer.register(instance);
    const view = peer.watch(instance.service);
    await stage.eventually(() => assert.deepEqual(view.current, [instance]));
  },

  'lets an instance go that was revoked': async (stage) => {
    const [writer, reader] = [stage.join(), stage.join()];
    const [stays, goes] = stage.pair();
    const view = reader.watch(stays.service);
    await writer.register(stays);
    const lease = await writer.register(goes);
    await stage.eventually(() => assert.equal(view.current.length, 2));
    await lease.revoke(stage.signal);
    await stage.eventually(() => assert.deepEqual(view.current, [stays]));
    await lease.revoke(stage.signal);
    assert.deepEqual(view.current, [stays]);
  },

  'replaces an instance by another of the same id': async (stage) => {
    const [writer, reader] = [stage.join(), stage.join()];
    const old = stage.instance({ version: '1', tags: ['old'], metadata: { was: 'here' } });
    const view = reader.watch(old.service);
    await writer.register(old);
    const young: ServiceInstance = { ...old, port: 3_002, version: '2', tags: [], metadata: {} };
    await writer.register(young);
    await stage.eventually(() => assert.deepEqual(view.current, [young]));
  },

  'lists the names of services': async (stage) => {
    const [writer, reader] = [stage.join(), stage.join()];
    const [one, two] = [stage.instance(), stage.instance()];
    const names = reader.watchServices();
    const lease = await writer.register(one);
    await writer.register(two);
    await stage.eventually(() => {
      assert.ok(names.current.includes(one.service) && names.current.includes(two.service));
    });
    assert.equal(new Set(names.current).size, names.current.length, 'a name comes twice');
    await lease.revoke(stage.signal);
    await stage.eventually(() => assert.ok(!names.current.includes(one.service)));
  },

  'keeps namespaces apart': async (stage) => {
    const [here, there] = [stage.join(), stage.join(`other-${randomName()}`)];
    const ours = stage.instance();
    const theirs = stage.instance({ service: ours.service });
    const [hereView, thereView] = [here.watch(ours.service), there.watch(ours.service)];
    const names = there.watchServices();
    await here.register(ours);
    await there.register(theirs);
    await stage.eventually(() => {
      assert.deepEqual(hereView.current, [ours]);
      assert.deepEqual(thereView.current, [theirs]);
      assert.deepEqual(names.current, [ours.service]);
    });
  },

  'says nothing while heartbeats change nothing': async (stage) => {
    const [writer, reader] = [stage.join(), stage.join()];
    const instance = stage.instance();
    const lease = await writer.register(instance);
    const view = reader.watch(instance.service);
    await stage.eventually(() => assert.deepEqual(view.current, [instance]));
    let snapshots = 0;
    view.onChange(() => snapshots++);
    for (let beat = 0; beat < 10; beat++) {
      assert.equal(await lease.renew('up', stage.signal), 'ok');
      await stage.clock.sleep(50);
    }
    assert.equal(snapshots, 0);
  },

  'shows every reader the same, and all of many instances': async (stage) => {
    const peers = [stage.join(), stage.join(), stage.join()];
    const service = stage.service();
    const early = peers.map((peer) => peer.watch(service));
    const all = peers.map((peer) =>
      Array.from({ length: 20 }, () => ({ peer, instance: stage.instance({ service }) })),
    );
    await Promise.all(all.flat().map(({ peer, instance }) => peer.register(instance)));
    const views = [...early, stage.join().watch(service)];
    const ids = all
      .flat()
      .map(({ instance }) => instance.id)
      .toSorted();
    await stage.eventually(() => {
      for (const { current } of views) {
        assert.deepEqual(current.map((each) => each.id).toSorted(), ids);
      }
    });
  },

  'ends its streams promptly, and without an error, when they are given up': async (stage) => {
    const { source } = stage.join().backend;
    const instances = await stage.openStream((signal) => source.instances('nobody', signal));
    const services = await stage.openStream((signal) => source.services(signal));
    const from = stage.clock.now();
    await Promise.all([instances.stop(), services.stop()]);
    const took = stage.clock.now() - from;
    assert.ok(took < 500, `it took ${took} ms`);
  },

  'opens no stream and registers nothing for who has given up already': async (stage) => {
    const { source, registry } = stage.join().backend;
    const aborted = AbortSignal.abort();
    for await (const _ of source.instances('nobody', aborted)) assert.fail('a snapshot came');
    for await (const _ of source.services(aborted)) assert.fail('a snapshot came');
    await assert.rejects(async () => registry?.register(stage.instance(), aborted));
  },
};

const dies: Scenario = async (stage, { crash }) => {
  const [writer, other, reader] = [stage.join(), stage.join(), stage.join()];
  const [dead, alive] = stage.pair();
  const view = reader.watch(dead.service);
  const lease = await other.register(alive);
  await writer.register(dead);
  await stage.eventually(() => assert.equal(view.current.length, 2));
  if (typeof crash === 'function') await crash(writer.backend);
  await stage.eventually(async () => {
    await lease.renew('up', stage.signal);
    assert.deepEqual(view.current.filter(takesTraffic), [alive]);
  }, stage.ttl);
};

const forgets: Scenario = async (stage, { forget }) => {
  const writer = stage.join();
  const instance = stage.instance();
  const lease = await writer.register(instance);
  let lost = false;
  void lease.lost?.then(() => (lost = true));
  await forget?.();
  await stage.eventually(async () => {
    if (!lost) assert.equal(await lease.renew('up', stage.signal), 'lost');
  });
  const view = writer.watch(instance.service);
  await writer.register(instance);
  await stage.eventually(() => assert.deepEqual(view.current, [instance]));
};

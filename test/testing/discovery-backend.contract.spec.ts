import { describe, expect, it } from '@jest/globals';
import { memory, MemoryHub } from '../../lib/discovery/backends/memory.backend.js';
import type { BackendFactory, DiscoveryBackend } from '../../lib/discovery/discovery-backend.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import {
  describeDiscoveryBackend,
  type DiscoveryContractOptions,
} from '../../lib/testing/discovery-backend.contract.js';

type Scenarios = ReadonlyMap<string, () => Promise<void>>;
type Sabotage = (backend: DiscoveryBackend) => Partial<DiscoveryBackend>;

/** The scenarios for a memory backend with one thing broken. */
function scenarios(sabotage: Sabotage, options: DiscoveryContractOptions = {}): Scenarios {
  const found = new Map<string, () => Promise<void>>();
  const hub = new MemoryHub();
  const make = (): BackendFactory => (context) => {
    const backend = memory(hub)(context);
    return { ...backend, ...sabotage(backend) };
  };
  describeDiscoveryBackend('broken', make, {
    describe: (_, body) => body(),
    it: (name, body) => found.set(name, body),
    patience: 300,
    ...options,
  });
  return found;
}

function run(found: Scenarios, sentence: RegExp): Promise<void> {
  const [scenario] = [...found].filter(([name]) => sentence.test(name)).map(([, body]) => body);
  return scenario ? scenario() : Promise.reject(new Error(`there is no scenario ${sentence}`));
}

/** What a backend reads, changed on the way. */
function changed(change: (instance: ServiceInstance) => ServiceInstance): Sabotage {
  return ({ source }) => ({
    source: {
      services: (signal) => source.services(signal),
      async *instances(service, signal) {
        for await (const all of source.instances(service, signal)) yield all.map(change);
      },
    },
  });
}

describe('the contract of discovery backends', () => {
  it.each<[string, RegExp, Sabotage]>([
    [
      'changes a field',
      /all its fields/,
      changed((instance) => ({ ...instance, zone: 'nowhere' })),
    ],
    ['hides a status', /change of status/, changed((instance) => ({ ...instance, status: 'up' }))],
    [
      'never lets an instance go',
      /was revoked/,
      ({ registry }) => ({
        registry: {
          async register(instance, signal) {
            const lease = await registry?.register(instance, signal);
            return {
              renew: async (status) => lease?.renew(status, signal) ?? 'lost',
              revoke: async () => {},
            };
          },
        },
      }),
    ],
    [
      'repeats itself',
      /says nothing/,
      ({ source }) => ({
        source: {
          services: (signal) => source.services(signal),
          async *instances(service, signal) {
            for await (const all of source.instances(service, signal)) {
              while (!signal.aborted) {
                yield all;
                await new Promise((resolve) => setTimeout(resolve, 20));
              }
            }
          },
        },
      }),
    ],
    [
      'does not end its streams',
      /ends its streams/,
      ({ source }) => ({
        source: {
          services: () => source.services(new AbortController().signal),
          instances: (service) => source.instances(service, new AbortController().signal),
        },
      }),
    ],
    ['cannot write', /was registered/, () => ({ registry: undefined })],
  ])(
    'catches a backend that %s',
    async (_, sentence, sabotage) => {
      await expect(run(scenarios(sabotage), sentence)).rejects.toThrow();
    },
    15_000,
  );

  it('catches a backend that mixes namespaces', async () => {
    const hub = new MemoryHub();
    const found = new Map<string, () => Promise<void>>();
    describeDiscoveryBackend(
      'mixed',
      () => (context) => memory(hub)({ ...context, namespace: 'one' }),
      { describe: (_, body) => body(), it: (name, body) => found.set(name, body), patience: 300 },
    );
    await expect(run(found, /namespaces/)).rejects.toThrow();
  });

  it('catches a registry that keeps the dead, and one that forgets without a word', async () => {
    const keeps = scenarios(() => ({}), { crash: 'expires', ttl: 100, forget: () => {} });
    await expect(run(keeps, /has died/)).rejects.toThrow('not within 400 ms');
    await expect(run(keeps, /was forgotten/)).rejects.toThrow('not within 300 ms');
  });

  it('tries a crash and forgetting only where it is told how', () => {
    const names = [...scenarios(() => ({})).keys()].join();
    expect(names).not.toMatch(/has died|was forgotten/);
  });
});

import assert from 'node:assert/strict';
import { SystemClock } from '../common/clock.js';
import { messageOf } from '../common/errors.js';
import { Live } from '../common/live.js';
import type {
  BackendContext,
  BackendFactory,
  DiscoveryBackend,
} from '../discovery/discovery-backend.js';
import type { ServiceInstance } from '../discovery/service-instance.js';
import type { Lease } from '../discovery/service-registry.js';

/** One scenario: the processes that take part, and the services they use. */
export class DiscoveryStage {
  readonly clock = new SystemClock();
  readonly ttl: number;
  private readonly patience: number;
  private readonly stopped = new AbortController();
  private readonly peers: DiscoveryPeer[] = [];

  constructor(
    private readonly make: () => BackendFactory,
    { ttl = 2_000, patience = 4_000 }: { readonly ttl?: number; readonly patience?: number },
  ) {
    this.ttl = ttl;
    this.patience = patience;
  }

  get signal(): AbortSignal {
    return this.stopped.signal;
  }

  /** Another process of the system. */
  join(namespace = 'default'): DiscoveryPeer {
    const { clock, ttl } = this;
    const context: BackendContext = {
      clock,
      ttl,
      heartbeat: ttl / 3,
      namespace,
      warn: () => {},
    };
    const peer = new DiscoveryPeer(this.make()(context), clock, this.signal);
    this.peers.push(peer);
    return peer;
  }

  /** A name nobody has used. */
  service(): string {
    return `contract-${randomName()}`;
  }

  instance(fields: Partial<ServiceInstance> = {}): ServiceInstance {
    const service = fields.service ?? this.service();
    return {
      id: `${service}-${randomName()}`,
      service,
      host: '127.0.0.1',
      port: 3_001,
      ports: {},
      scheme: 'http',
      status: 'up',
      weight: 1,
      tags: [],
      metadata: {},
      ...fields,
    };
  }

  /** Two instances of one service. */
  pair(): [ServiceInstance, ServiceInstance] {
    const first = this.instance();
    return [first, this.instance({ service: first.service })];
  }

  /** Opens a stream and reads its first snapshot; `stop` gives it up and waits for its end. */
  async openStream<T>(open: (signal: AbortSignal) => AsyncIterable<T>) {
    const controller = new AbortController();
    const stream = open(controller.signal)[Symbol.asyncIterator]();
    assert.ok(!(await stream.next()).done, 'the stream ended before its first snapshot');
    const end = (async () => {
      while (!(await stream.next()).done);
      return true;
    })();
    const stop = async () => {
      controller.abort();
      const wait = new AbortController();
      const ended = await Promise.race([end, this.clock.sleep(this.patience, wait.signal)]);
      wait.abort();
      assert.ok(ended, 'the stream goes on');
    };
    return { stop };
  }

  /** Repeats a check until it holds; when patience ends, its last failure is the scenario's. */
  async eventually(check: () => unknown, more = 0): Promise<void> {
    const limit = this.patience + more;
    for (const end = this.clock.now() + limit; ; await this.clock.sleep(10)) {
      try {
        await check();
        return;
      } catch (error) {
        if (this.clock.now() < end) continue;
        throw new Error(`not within ${limit} ms: ${messageOf(error)}`, { cause: error });
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.revoke()));
    this.stopped.abort();
    await Promise.all(this.peers.map((peer) => peer.close()));
  }
}

/** One process of the system, as the discovery room would use its backend. */
export class DiscoveryPeer {
  private readonly leases: Lease[] = [];
  private readonly lives: { close(): void }[] = [];

  constructor(
    readonly backend: DiscoveryBackend,
    private readonly clock: SystemClock,
    private readonly signal: AbortSignal,
  ) {}

  async register(instance: ServiceInstance): Promise<Lease> {
    const { registry } = this.backend;
    assert.ok(registry, 'the backend has no registry to write to');
    const lease = await registry.register(instance, this.signal);
    this.leases.push(lease);
    return lease;
  }

  watch(service: string): Live<readonly ServiceInstance[]> {
    return this.follow((signal) => this.backend.source.instances(service, signal));
  }

  watchServices(): Live<readonly string[]> {
    return this.follow((signal) => this.backend.source.services(signal));
  }

  /** Leaves as far as it can; one that was crashed cannot. */
  async revoke(): Promise<void> {
    const { signal, cancel } = this.clock.deadline(1_000);
    await Promise.allSettled(this.leases.map((lease) => lease.revoke(signal)));
    cancel();
  }

  async close(): Promise<void> {
    for (const live of this.lives) live.close();
    await this.backend.close?.();
  }

  private follow<T>(open: (signal: AbortSignal) => AsyncIterable<T>): Live<T> {
    const live = new Live<T>({ clock: this.clock, open });
    this.lives.push(live);
    return live;
  }
}

/** A word nobody has used. */
export function randomName(): string {
  return Math.random().toString(36).slice(2, 10);
}

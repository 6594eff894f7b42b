import type { Agent as HttpAgent } from 'node:http';
import { group, optional, text, textOf } from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';
import { EtcdCalls } from './etcd-calls.js';
import { EtcdWatch } from './etcd-watch.js';
import { isLoopback } from './loopback.js';
import { makePool, readRegistryUrl } from './registry-address.js';
import { readTls, type RegistryTlsOptions } from './registry-tls.js';
import { distinct } from './shared-stream.js';

export interface EtcdOptions {
  /** A server's client address, with or without its scheme. @default ETCD_ENDPOINT, else 'http://127.0.0.1:2379' */
  readonly url?: string;
  /** Whose rights are used; needs a password. @default none */
  readonly user?: string;
  /** @default none */
  readonly password?: string;
  /** What all keys begin with. @default 'nest-rookery' */
  readonly prefix?: string;
  /** @default Node's own certificates, and no certificate of ours */
  readonly tls?: RegistryTlsOptions;
}

/**
 * etcd 3.4 or newer, over its JSON gateway; no package is needed.
 *
 * An instance is a key `/<prefix>/<namespace>/<service>/<id>` under a lease, so a process that dies is gone when its time to
 * live is over; etcd counts that in whole seconds and, by its election time-out, takes no less than 2.
 *
 * @throws InvalidOptionsError when an option or the address cannot be used
 * @example
 * DiscoveryModule.forRoot({ backend: etcd({ url: 'http://etcd:2379' }) });
 */
export function etcd(options: EtcdOptions = {}): BackendFactory {
  const settings = readOptions(options, 'etcd');
  const address = settings.url ?? (process.env['ETCD_ENDPOINT'] || '127.0.0.1:2379');
  const path = settings.url === undefined ? 'ETCD_ENDPOINT' : 'etcd.url';
  const url = readRegistryUrl(path, address, { like: 'http://127.0.0.1:2379' });
  return (context) => new EtcdBackend(url, settings, context);
}

const readOptions = group({
  url: optional(textOf()),
  user: optional(textOf()),
  password: optional(textOf()),
  prefix: text('nest-rookery', {
    matches: /^[\w.-]+(?:\/[\w.-]+)*$/,
    remedy: "Write it like 'nest-rookery', without a slash at its ends.",
  }),
  tls: readTls,
});

type EtcdSettings = ReturnType<typeof readOptions>;

/** How many connections carry calls, and how many wait for changes; calls must never queue behind waits. */
const CALLS = 8;
const WATCHES = 8;

class EtcdBackend implements DiscoveryBackend {
  readonly name = 'etcd';
  readonly remote: boolean;
  readonly registry: ServiceRegistry;
  readonly source: InstanceSource;
  private readonly pools: readonly HttpAgent[];

  constructor(url: URL, settings: EtcdSettings, context: BackendContext) {
    const pool = (maxSockets: number) =>
      makePool(url, { tls: settings.tls, maxSockets, path: 'etcd.tls' });
    const { user, password } = settings;
    this.pools = [pool(CALLS), pool(WATCHES + 1)];
    const [calls, parked] = this.pools.map(
      (each) => new EtcdCalls({ url, pool: each, clock: context.clock, user, password }),
    ) as [EtcdCalls, EtcdCalls];
    const prefix = `/${settings.prefix}/${context.namespace}/`;
    this.remote = !isLoopback(url.hostname);
    this.registry = new EtcdRegistry(calls, prefix, context);
    this.source = new EtcdSource(new EtcdWatch({ calls, parked, prefix, slots: WATCHES }));
  }

  close(): Promise<void> {
    for (const pool of this.pools) pool.destroy();
    return Promise.resolve();
  }
}

class EtcdRegistry extends ServiceRegistry {
  constructor(
    private readonly calls: EtcdCalls,
    private readonly prefix: string,
    private readonly context: BackendContext,
  ) {
    super();
  }

  override async register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    const key = `${this.prefix}${instance.service}/${instance.id}`;
    const lease = await this.calls.grant(Math.ceil(this.context.ttl / 1_000), signal);
    // What is given up here ends with its lease.
    await this.calls.put({ key, value: JSON.stringify(instance), lease }, signal);
    return new EtcdLease(this.calls, { instance, key, lease }, this.context.heartbeat);
  }
}

class EtcdLease implements Lease {
  private told: InstanceStatus;

  constructor(
    private readonly calls: EtcdCalls,
    private readonly held: { instance: ServiceInstance; key: string; lease: string },
    readonly renewEvery: number,
  ) {
    this.told = held.instance.status;
  }

  async renew(status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'> {
    const { instance, key, lease } = this.held;
    if (!(await this.calls.keepAlive(lease, signal))) return 'lost';
    const value = JSON.stringify({ ...instance, status });
    // Writes only what changed: every write wakes all who watch. Who was replaced keeps quiet.
    const answer = await this.calls.putIfOurs({ key, value, lease }, this.told !== status, signal);
    this.told = status;
    return answer === 'absent' ? 'lost' : 'ok';
  }

  revoke(signal: AbortSignal): Promise<void> {
    return this.calls.revoke(this.held.lease, signal);
  }
}

class EtcdSource extends InstanceSource {
  constructor(private readonly watch: EtcdWatch) {
    super();
  }

  override instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    return distinct(this.watch.instances(service, signal));
  }

  override services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    return distinct(this.watch.services(signal));
  }
}

import type { Agent as HttpAgent } from 'node:http';
import type { Duration } from '../../common/duration.js';
import { duration, group, optional, textOf } from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';
import { type Apps, EurekaApps } from './eureka-apps.js';
import { EurekaCalls } from './eureka-calls.js';
import { appName, toRegistration } from './eureka-mapping.js';
import { isLoopback } from './loopback.js';
import { makePool, readRegistryUrl } from './registry-address.js';
import { RegistryHttp } from './registry-http.js';
import { readTls, type RegistryTlsOptions } from './registry-tls.js';
import { distinct, SharedStream } from './shared-stream.js';

export interface EurekaOptions {
  /** The server with its context. @default EUREKA_URL, else 'http://127.0.0.1:8761/eureka' */
  readonly url?: string;
  /** @default none */
  readonly user?: string;
  /** @default none */
  readonly password?: string;
  /** How often to ask what has changed; the server itself refreshes its answers every 30 s. @default '5s' */
  readonly every?: Duration;
  /** @default Node's own certificates, and no certificate of ours */
  readonly tls?: RegistryTlsOptions;
}

/**
 * A Eureka server, for systems that have one. It is slower than the others by design: its answers are cached for up to 30 s,
 * and it evicts dead instances once a minute, and not at all while it preserves itself.
 *
 * @throws InvalidOptionsError when an option or the address cannot be used
 * @example
 * DiscoveryModule.forRoot({ backend: eureka({ url: 'http://eureka:8761/eureka' }) });
 */
export function eureka(options: EurekaOptions = {}): BackendFactory {
  const settings = readOptions(options, 'eureka');
  const [path, given] =
    settings.url === undefined
      ? ['EUREKA_URL', process.env['EUREKA_URL'] || 'http://127.0.0.1:8761/eureka']
      : ['eureka.url', settings.url];
  const url = readRegistryUrl(path, given, { like: 'http://127.0.0.1:8761/eureka' });
  return (context) => new EurekaBackend(url, settings, context);
}

const readOptions = group({
  url: optional(textOf()),
  user: optional(textOf()),
  password: optional(textOf()),
  every: duration('5s', { min: 50 }),
  tls: readTls,
});

class EurekaBackend implements DiscoveryBackend {
  readonly name = 'eureka';
  readonly remote: boolean;
  readonly registry: ServiceRegistry;
  readonly source: InstanceSource;
  private readonly pool: HttpAgent;

  constructor(url: URL, settings: ReturnType<typeof readOptions>, context: BackendContext) {
    const { clock, namespace } = context;
    const { user, password, every, tls } = settings;
    this.pool = makePool(url, { tls, maxSockets: 8, path: 'eureka.tls' });
    const calls = new EurekaCalls({
      http: new RegistryHttp(url, this.pool, clock),
      host: url.host,
      credentials: user !== undefined && password !== undefined ? { user, password } : undefined,
    });
    this.remote = !isLoopback(url.hostname);
    this.registry = new EurekaRegistry(calls, context);
    this.source = new EurekaSource(new EurekaApps(calls, { clock, namespace, every }));
  }

  close(): Promise<void> {
    this.pool.destroy();
    return Promise.resolve();
  }
}

class EurekaRegistry extends ServiceRegistry {
  constructor(
    private readonly calls: EurekaCalls,
    private readonly context: BackendContext,
  ) {
    super();
  }

  override async register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    const lease = new EurekaLease(this.calls, instance, this.context);
    await lease.write(instance.status, signal);
    return lease;
  }
}

class EurekaLease implements Lease {
  readonly renewEvery: number;
  private readonly app: string;
  private told: InstanceStatus;

  constructor(
    private readonly calls: EurekaCalls,
    private readonly instance: ServiceInstance,
    private readonly context: BackendContext,
  ) {
    this.renewEvery = context.heartbeat;
    this.app = appName(context.namespace, instance.service);
    this.told = instance.status;
  }

  /** A status is told by registering again, as the clients in Java do; an override would outlive us. */
  async write(status: InstanceStatus, signal: AbortSignal): Promise<void> {
    const { ttl, heartbeat } = this.context;
    const body = toRegistration({ ...this.instance, status }, { app: this.app, ttl, heartbeat });
    await this.calls.register(this.app, body, signal);
    this.told = status;
  }

  async renew(status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'> {
    if (!(await this.calls.renew(this.app, this.instance.id, signal))) return 'lost';
    if (status !== this.told) await this.write(status, signal);
    return 'ok';
  }

  revoke(signal: AbortSignal): Promise<void> {
    return this.calls.cancel(this.app, this.instance.id, signal);
  }
}

class EurekaSource extends InstanceSource {
  private readonly apps: SharedStream<Apps>;

  constructor(apps: EurekaApps) {
    super();
    this.apps = new SharedStream((signal) => apps.follow(signal));
  }

  override instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    return distinct(this.read((apps) => apps.get(service) ?? [], signal));
  }

  override services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    return distinct(this.read((apps) => [...apps.keys()].toSorted(), signal));
  }

  private async *read<T>(pick: (apps: Apps) => T, signal: AbortSignal): AsyncGenerator<T> {
    for await (const apps of this.apps.read(signal)) yield pick(apps);
  }
}

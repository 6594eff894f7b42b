import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duration } from '../../common/duration.js';
import { duration, group, optional, textOf } from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';
import { readConsulAddress } from './consul-address.js';
import { ConsulCalls } from './consul-calls.js';
import { ConsulHttp } from './consul-http.js';
import { readHealthEntries, readServiceNames, toRegistration } from './consul-mapping.js';
import { ConsulNames } from './consul-names.js';
import { ConsulWatch } from './consul-watch.js';
import { isLoopback } from './loopback.js';

export interface ConsulOptions {
  /** The agent's address, with or without its scheme. @default CONSUL_HTTP_ADDR, else 'http://127.0.0.1:8500' */
  readonly url?: string;
  /** The ACL token. @default CONSUL_HTTP_TOKEN, else none */
  readonly token?: string;
  /** Whose instances are read. @default the agent's own datacenter */
  readonly datacenter?: string;
  /** How long a query waits in the agent for a change. @default '30s' */
  readonly wait?: Duration;
  /** When Consul forgets an instance that stays critical; it looks every 30 s, and takes no less than '1m'. @default '1m' */
  readonly deregisterCriticalAfter?: Duration;
  /** A probe of the instance by the agent, beside the heartbeat. @default none */
  readonly check?: ConsulCheckOptions;
}

/** A probe by the agent: it asks a path of the instance's main port. */
export interface ConsulCheckOptions {
  /** The path, such as '/health/ready'. */
  readonly http: string;
  /** How often. @default '10s' */
  readonly interval?: Duration;
  /** How long it waits for the answer. @default '5s' */
  readonly timeout?: Duration;
}

/**
 * A Consul agent. `CONSUL_HTTP_ADDR`, `CONSUL_HTTP_TOKEN` and `CONSUL_HTTP_SSL` are honoured where no option says otherwise.
 *
 * An instance beats a TTL check; while it drains, the check is critical and its output says `draining`. In a namespace
 * other than `default` the service `orders` is `<namespace>--orders` in Consul, so that Consul's DNS and other clients
 * keep two systems apart as well. A token's policy needs `service "<name>" write`, `service_prefix "" read` and
 * `node_prefix "" read`.
 *
 * @throws InvalidOptionsError when an option or the address cannot be used
 * @example
 * DiscoveryModule.forRoot({ backend: consul({ url: 'http://127.0.0.1:8500', wait: '1m' }) });
 */
export function consul(options: ConsulOptions = {}): BackendFactory {
  const settings = readOptions(options, 'consul');
  return (context) => new ConsulBackend(settings, context);
}

const readOptions = group({
  url: optional(textOf()),
  token: optional(textOf()),
  datacenter: optional(textOf()),
  wait: duration('30s', { min: 100, max: 600_000 }),
  deregisterCriticalAfter: duration('1m', { min: 60_000 }),
  check: optional(
    group({
      http: textOf({ matches: /^\//, remedy: "Write a path, such as '/health/ready'." }),
      interval: duration('10s', { min: 1_000 }),
      timeout: duration('5s', { min: 100 }),
    }),
  ),
});

type ConsulSettings = ReturnType<typeof readOptions>;

/** How many connections carry calls, and how many wait for changes; calls must never queue behind waits. */
const CALLS = 8;
const WATCHES = 16;

class ConsulBackend implements DiscoveryBackend {
  readonly name = 'consul';
  readonly remote: boolean;
  readonly registry: ServiceRegistry;
  readonly source: InstanceSource;
  private readonly agents: readonly HttpAgent[];

  constructor(settings: ConsulSettings, context: BackendContext) {
    const address = readConsulAddress(settings, process.env);
    const Pool = address.url.protocol === 'https:' ? HttpsAgent : HttpAgent;
    const callAgent = new Pool({ keepAlive: true, maxSockets: CALLS });
    const watchAgent = new Pool({ keepAlive: true, maxSockets: WATCHES });
    const http = new ConsulHttp(address, callAgent, context.clock);
    const names = new ConsulNames(context.namespace);
    this.agents = [callAgent, watchAgent];
    this.remote = !isLoopback(address.url.hostname);
    this.registry = new ConsulRegistry(new ConsulCalls(address, callAgent, http), {
      settings,
      context,
      names,
      localAgent: !this.remote,
    });
    const watch = new ConsulWatch({
      clock: context.clock,
      parked: new ConsulHttp(address, watchAgent, context.clock),
      calls: http,
      wait: settings.wait,
      slots: WATCHES,
    });
    this.source = new ConsulSource(watch, names, settings.datacenter);
  }

  close(): Promise<void> {
    for (const agent of this.agents) agent.destroy();
    return Promise.resolve();
  }
}

interface RegistryTerms {
  readonly settings: ConsulSettings;
  readonly context: BackendContext;
  readonly names: ConsulNames;
  readonly localAgent: boolean;
}

class ConsulRegistry extends ServiceRegistry {
  constructor(
    private readonly calls: ConsulCalls,
    private readonly terms: RegistryTerms,
  ) {
    super();
  }

  override async register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    const { settings, context, names } = this.terms;
    const { id, status, service } = instance;
    const registration = toRegistration(instance, {
      name: names.inConsul(service),
      ttl: context.ttl,
      deregisterCriticalAfter: settings.deregisterCriticalAfter,
      probe: settings.check,
      localAgent: this.terms.localAgent,
    });
    await this.calls.register(registration, signal);
    // A check of the same id keeps its old state through a registration; only a beat changes it.
    await this.calls.beat(id, status, signal);
    return new ConsulLease(this.calls, id, context.heartbeat);
  }
}

class ConsulLease implements Lease {
  constructor(
    private readonly calls: ConsulCalls,
    private readonly id: string,
    readonly renewEvery: number,
  ) {}

  renew(status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'> {
    return this.calls.beat(this.id, status, signal);
  }

  revoke(signal: AbortSignal): Promise<void> {
    return this.calls.deregister(this.id, signal);
  }
}

class ConsulSource extends InstanceSource {
  private readonly query: Readonly<Record<string, string>>;

  constructor(
    private readonly watch: ConsulWatch,
    private readonly names: ConsulNames,
    datacenter: string | undefined,
  ) {
    super();
    this.query = { stale: '', ...(datacenter !== undefined && { dc: datacenter }) };
  }

  override instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    const name = this.names.inConsul(service);
    return this.watch.stream(
      {
        path: `/v1/health/service/${encodeURIComponent(name)}`,
        query: this.query,
        read: (json) => readHealthEntries(service, json),
        emptyWhenRefused: true,
      },
      signal,
    );
  }

  override services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    return this.watch.stream(
      {
        path: '/v1/catalog/services',
        query: this.query,
        read: (json) => this.names.outOfConsul(readServiceNames(json)),
        emptyWhenRefused: false,
      },
      signal,
    );
  }
}

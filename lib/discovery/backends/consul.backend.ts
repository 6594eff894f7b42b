import type { Agent as HttpAgent } from 'node:http';
import type { Duration } from '../../common/duration.js';
import { duration, group, optional, refuse, textOf } from '../../common/option-readers.js';
import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';
import { readConsulAddress } from './consul-address.js';
import { ConsulCalls } from './consul-calls.js';
import { ConsulHttp } from './consul-http.js';
import {
  type HealthEntry,
  improvesEntries,
  judgeEntries,
  readHealthEntries,
  readPrint,
  readServiceNames,
  toRegistration,
} from './consul-mapping.js';
import { ConsulNames } from './consul-names.js';
import { ConsulWatch } from './consul-watch.js';
import { isLoopback } from './loopback.js';
import { makePool, peerOf } from './registry-address.js';
import { readTls, type RegistryTlsOptions } from './registry-tls.js';

export interface ConsulOptions {
  /** The agent's address, with or without its scheme. @default CONSUL_HTTP_ADDR, else 'http://127.0.0.1:8500' */
  readonly url?: string;
  /** The ACL token. @default CONSUL_HTTP_TOKEN, else none */
  readonly token?: string;
  /** A file with the ACL token. @default CONSUL_HTTP_TOKEN_FILE, else none */
  readonly tokenFile?: string;
  /** A namespace of Consul Enterprise. @default CONSUL_NAMESPACE, else none */
  readonly namespace?: string;
  /** @default CONSUL_CACERT, CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME, CONSUL_HTTP_SSL_VERIFY */
  readonly tls?: RegistryTlsOptions;
  /** Whose instances are read. @default the agent's own datacenter */
  readonly datacenter?: string;
  /** How long a query waits in the agent for a change. @default '30s' */
  readonly wait?: Duration;
  /** When Consul forgets an instance that stays critical; it looks every 30 s, and takes no less than '1m'. @default '1m' */
  readonly deregisterCriticalAfter?: Duration;
  /** A probe of the instance by the agent, beside the heartbeat. @default none */
  readonly check?: ConsulCheckOptions;
}

/** A probe by the agent: a path that must answer 2xx, a port that must accept, or gRPC's health protocol; one of them. */
export interface ConsulCheckOptions {
  /** A path of the main port, such as '/health/ready'. */
  readonly http?: string;
  /** A named port, such as 'tcp', or 'main'. */
  readonly tcp?: string;
  /** A named port that speaks gRPC, such as 'grpc', or 'main'. */
  readonly grpc?: string;
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
  const { http, tcp, grpc } = settings.check ?? { http: '/' };
  if ([http, tcp, grpc].filter((each) => each !== undefined).length !== 1) {
    refuse('consul.check', 'names no probe, or several', 'Write one of http, tcp and grpc.');
  }
  return (context) => new ConsulBackend(settings, context);
}

const readOptions = group({
  url: optional(textOf()),
  token: optional(textOf()),
  tokenFile: optional(textOf()),
  namespace: optional(textOf()),
  tls: readTls,
  datacenter: optional(textOf()),
  wait: duration('30s', { min: 100, max: 600_000 }),
  deregisterCriticalAfter: duration('1m', { min: 60_000 }),
  check: optional(
    group({
      http: optional(textOf({ matches: /^\//, remedy: "Write a path, such as '/health/ready'." })),
      tcp: optional(textOf()),
      grpc: optional(textOf()),
      interval: duration('10s', { min: 1_000 }),
      timeout: duration('5s', { min: 100 }),
    }),
  ),
});

type ConsulSettings = ReturnType<typeof readOptions>;

/** How many connections carry calls, and how many wait for changes; calls must never queue behind waits. */
const CALLS = 2;
const READS = 2;
const WATCHES = 16;

class ConsulBackend implements DiscoveryBackend {
  readonly name = 'consul';
  readonly remote: boolean;
  readonly peer: { readonly host: string; readonly port: number };
  readonly registry: ServiceRegistry;
  readonly source: InstanceSource;
  private readonly agents: readonly [HttpAgent, HttpAgent, HttpAgent];

  constructor(settings: ConsulSettings, context: BackendContext) {
    const address = readConsulAddress(settings, process.env);
    const pool = (maxSockets: number) =>
      makePool(address.url, { tls: address.tls, maxSockets, path: 'consul.tls' });
    this.agents = [pool(CALLS), pool(READS), pool(WATCHES)];
    const [calls, reads, parked] = this.agents.map(
      (agent) => new ConsulHttp(address, agent, context.clock),
    ) as [ConsulHttp, ConsulHttp, ConsulHttp];
    const names = new ConsulNames(context.namespace);
    this.remote = !isLoopback(address.url.hostname);
    this.peer = peerOf(address.url);
    this.registry = new ConsulRegistry(new ConsulCalls(address, this.agents[0], calls), {
      settings,
      context,
      names,
      localAgent: !this.remote,
    });
    const watch = new ConsulWatch({
      clock: context.clock,
      parked,
      calls: reads,
      wait: settings.wait,
      // One for the names of all services, and two for all that have none of their own.
      slots: WATCHES - 3,
      query: {
        stale: '',
        ...(settings.datacenter !== undefined && { dc: settings.datacenter }),
      },
    });
    this.source = new ConsulSource(watch, names);
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
  constructor(
    private readonly watch: ConsulWatch,
    private readonly names: ConsulNames,
  ) {
    super();
  }

  override async *instances(
    service: string,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ServiceInstance[]> {
    const name = this.names.inConsul(service);
    const entries = this.watch.stream<readonly HealthEntry[]>(
      {
        path: `/v1/health/service/${encodeURIComponent(name)}`,
        read: (json) => readHealthEntries(service, json),
        health: {
          service: name,
          print: readPrint,
          judge: judgeEntries,
          improves: improvesEntries,
        },
      },
      signal,
    );
    for await (const found of entries) yield found.map(({ instance }) => instance);
  }

  override services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    return this.watch.stream(
      {
        path: '/v1/catalog/services',
        read: (json) => this.names.outOfConsul(readServiceNames(json)),
      },
      signal,
    );
  }
}

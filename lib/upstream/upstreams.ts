import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { EventHub } from '../common/event-hub.js';
import { RequestContext } from '../common/request-context.js';
import type { ServiceInstance } from '../discovery/service-instance.js';
import {
  LoadBalancers,
  type OwnedBalancer,
  type ServiceBalancing,
} from '../load-balancing/load-balancers.js';
import { Circuit } from '../resilience/circuit.js';
import { Circuits } from '../resilience/circuits.js';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { Deadlines } from './deadline-list.js';
import { instanceAt } from './origin.js';
import { Retries } from './retries.js';
import { type Transport, WaitingCalls } from './transport.js';
import { Http1Transport } from './transports/http1.transport.js';
import { UpstreamEndpoint } from './upstream-endpoint.js';
import { UPSTREAM_SETTINGS, type UpstreamSettings } from './upstream.options.js';
import { Upstream } from './upstream.js';
import type { UndiciTransportMaker } from './transports/undici.transport.js';

/** The injection token of what makes the transport over undici; undefined where nobody asks for it. */
export const UNDICI_TRANSPORT = Symbol('UNDICI_TRANSPORT');

type Balance = (options: ServiceBalancing<UpstreamEndpoint>) => OwnedBalancer<UpstreamEndpoint>;

/**
 * Every service this application calls; each is made when it is first asked for, and kept.
 *
 * @example
 * const answer = await upstreams.get('inventory').request({ method: 'GET', path: '/stock/7' });
 */
@Injectable()
export class Upstreams implements OnApplicationShutdown {
  private readonly kept = new Map<string, { readonly upstream: Upstream; close: () => void }>();
  private readonly deadlines: Deadlines;
  private readonly transports: Readonly<Record<'http1' | 'undici', Transport | undefined>>;

  constructor(
    private readonly balancers: LoadBalancers,
    private readonly circuits: Circuits,
    private readonly clock: Clock,
    private readonly events: EventHub,
    @Inject(UPSTREAM_SETTINGS) private readonly settings: (service: string) => UpstreamSettings,
    private readonly context: RequestContext,
    @Inject(UNDICI_TRANSPORT) undici: UndiciTransportMaker | undefined,
  ) {
    this.deadlines = new Deadlines(clock);
    const http1 = new Http1Transport(this.deadlines);
    this.transports = { http1, undici: undici?.(http1) };
  }

  /** A service, found through discovery; throws `ServiceNameError` when no service can have that name. */
  get(service: string): Upstream {
    return (
      this.kept.get(service)?.upstream ??
      this.make(service, (options) => this.balancers.follow(service, options))
    );
  }

  /** A fixed address such as `http://10.0.0.7:3000`; throws `InvalidOptionsError` when it is no origin. */
  to(origin: string): Upstream {
    const known = this.kept.get(origin)?.upstream;
    if (known) return known;
    const instance = instanceAt(origin);
    return (
      this.kept.get(instance.id)?.upstream ??
      this.make(instance.id, (options) => this.balancers.over([instance], options))
    );
  }

  /** Every upstream that was asked for. */
  all(): readonly Upstream[] {
    return [...this.kept.values()].map(({ upstream }) => upstream);
  }

  /** Closes every connection; by now the application takes no requests any more. */
  onApplicationShutdown(): void {
    for (const { upstream, close } of this.kept.values()) {
      for (const endpoint of upstream.endpoints) endpoint.channel.close();
      close();
      this.circuits.remove(upstream.name);
    }
    this.kept.clear();
  }

  private make(name: string, balance: Balance): Upstream {
    const settings = this.settings(name);
    const waiting = new WaitingCalls(settings.pending);
    let made: Upstream | undefined;
    const { balancer, close } = balance({
      strategy: settings.strategy(),
      outlier: settings.outlier || undefined,
      preferZone: settings.preferZone,
      subset: settings.subset,
      slowStart: settings.slowStart,
      create: (instance) => this.endpoint(name, instance, settings, waiting),
      onUpdate: () => made?.onInstances(),
    });
    made = new Upstream({
      name,
      balancer,
      waiting,
      circuit: this.circuit(name, settings),
      timeouts: settings.timeouts,
      retries: new Retries(settings.retry),
      limit: settings.concurrency ? new ConcurrencyLimit(settings.concurrency) : undefined,
      hedgeAfter: settings.hedge ? settings.hedge.after : undefined,
      context: this.context,
      deadlines: this.deadlines,
      clock: this.clock,
      events: this.events,
    });
    this.kept.set(name, { upstream: made, close });
    return made;
  }

  private circuit(name: string, { circuit: options }: UpstreamSettings): Circuit | undefined {
    if (!options) return undefined;
    const circuit = new Circuit(name, options, this.clock, this.events);
    this.circuits.add(circuit);
    return circuit;
  }

  private endpoint(
    service: string,
    instance: ServiceInstance,
    settings: UpstreamSettings,
    waiting: WaitingCalls,
  ): UpstreamEndpoint {
    const { connections, tls } = settings;
    const { keepAlive } = settings.timeouts;
    // What the options ask for was loaded with them.
    const transport = this.transports[settings.transport] as Transport;
    const channel = transport.open({
      service,
      instance,
      connections,
      keepAlive,
      waiting,
      tls,
    });
    return new UpstreamEndpoint(instance, channel);
  }
}

import { Injectable, Optional } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { EventHub } from '../common/event-hub.js';
import { DiscoveryClient } from '../discovery/discovery-client.js';
import { LocalInstance } from '../discovery/local-instance.js';
import type { ServiceInstance } from '../discovery/service-instance.js';
import type { ServiceView } from '../discovery/service-view.js';
import type { Endpoint } from './endpoint.js';
import { LoadBalancer, type LoadBalancerOptions } from './load-balancer.js';

/** What a caller of a service says about its load balancer; time and events are there already. */
export type ServiceBalancing<E extends Endpoint> = Omit<
  LoadBalancerOptions<E>,
  'clock' | 'events' | 'zone'
> & {
  /** Whether endpoints of the caller's own zone are preferred. @default true */
  readonly preferZone?: boolean;
};

/** A load balancer, and how to end it; that lets go of the endpoints. */
export interface OwnedBalancer<E extends Endpoint> {
  readonly balancer: LoadBalancer<E>;
  readonly close: () => void;
}

/** How long the registry's first answer may take; a service without one counts as having no instances. */
const FIRST_ANSWER = '5s';

/** Makes load balancers that follow the instances of a service as they come and go. */
@Injectable()
export class LoadBalancers {
  constructor(
    private readonly discovery: DiscoveryClient,
    private readonly clock: Clock,
    private readonly events: EventHub,
    @Optional() private readonly local?: LocalInstance,
  ) {}

  /** Chooses among instances that are always the same. */
  over<E extends Endpoint>(
    instances: readonly ServiceInstance[],
    options: ServiceBalancing<E>,
  ): OwnedBalancer<E> {
    const balancer = this.make(options);
    balancer.update(instances);
    return { balancer, close: () => balancer.close() };
  }

  /** Follows a service. Names that no service can have throw `ServiceNameError`. */
  follow<E extends Endpoint>(service: string, options: ServiceBalancing<E>): OwnedBalancer<E> {
    const balancer = this.make(options);
    let closed = false;
    const take = (view: ServiceView) => {
      // Before its first answer a registry that cannot be reached shows an empty, stale view, which says nothing.
      if (!closed && (!view.stale || view.all.length > 0)) {
        balancer.update(view.all, view.instances);
      }
    };
    const stop = this.discovery.onChange(service, take);
    const known = this.discovery.view(service);
    if (known.all.length > 0) take(known);
    else void this.awaitFirst(service, () => closed || balancer.ready, balancer);
    const close = () => {
      closed = true;
      stop();
      balancer.close();
    };
    return { balancer, close };
  }

  private make<E extends Endpoint>({
    preferZone = true,
    ...options
  }: ServiceBalancing<E>): LoadBalancer<E> {
    const { clock, events } = this;
    const zone = preferZone ? this.local?.zone : undefined;
    return new LoadBalancer({ ...options, clock, events, zone });
  }

  private async awaitFirst<E extends Endpoint>(
    service: string,
    settled: () => boolean,
    balancer: LoadBalancer<E>,
  ): Promise<void> {
    const view = await this.discovery.ready(service, FIRST_ANSWER);
    if (!settled()) balancer.update(view.all, view.instances);
  }
}

import { Injectable } from '@nestjs/common';
import { Observable, takeUntil } from 'rxjs';
import { Clock } from '../common/clock.js';
import { type Duration, milliseconds } from '../common/duration.js';
import { FilteredInstances, type InstanceFilter } from './instance-filter.js';
import { type RefusedInstance, ScreenedSource } from './screened-source.js';
import type { ServiceInstance } from './service-instance.js';
import type { ServiceView } from './service-view.js';
import { ServiceWatches } from './service-watches.js';

/**
 * Finds services and their instances.
 *
 * A service is watched from the first time it is asked for; from then on everything is known already and answers are
 * immediate. Names that no service can have throw `ServiceNameError`.
 *
 * @example
 * constructor(private readonly discovery: DiscoveryClient) {}
 * addresses() { return this.discovery.instances('inventory').map(({ host, port }) => `${host}:${port}`); }
 */
@Injectable()
export class DiscoveryClient {
  private readonly filtered = new FilteredInstances();

  constructor(
    private readonly watches: ServiceWatches,
    private readonly clock: Clock,
    private readonly source: ScreenedSource,
  ) {}

  /**
   * The instances of a service that take traffic; none before the registry's first answer. The list, and each instance in it, is
   * the same object until it changes.
   *
   * @param filter lets only some of them through, such as `{ zone: 'eu-1', tags: ['canary'] }`
   */
  instances(service: string, filter?: InstanceFilter): readonly ServiceInstance[] {
    const { instances } = this.watches.get(service).view;
    return filter ? this.filtered.of(instances, filter) : instances;
  }

  /** The instances that stand in the registry and are not called, with the reasons; of the services that are watched. */
  refused(): readonly RefusedInstance[] {
    return this.source.refused;
  }

  /** All that is known of a service. */
  view(service: string): ServiceView {
    return this.watches.get(service).view;
  }

  /** The names of all services; none before the registry's first answer. */
  services(): readonly string[] {
    return this.watches.services.latest ?? [];
  }

  /**
   * Waits for the registry's first answer about a service; after the limit gives what is known then, which is nothing.
   *
   * @param limit how long to wait at most. Default: `'5s'`
   */
  async ready(service: string, limit: Duration = '5s'): Promise<ServiceView> {
    const watch = this.watches.get(service);
    if (watch.answered) return watch.view;
    const given = new AbortController();
    const waited = this.clock.sleep(milliseconds(limit), given.signal);
    await Promise.race([watch.ready(), waited]);
    given.abort();
    return watch.view;
  }

  /** Every view of a service: the newest at once, if there is one, then each new one; completes with the application. */
  watch(service: string): Observable<ServiceView> {
    return new Observable<ServiceView>((subscriber) => {
      const watch = this.watches.get(service);
      if (watch.answered) subscriber.next(watch.view);
      return watch.onChange((view) => subscriber.next(view));
    }).pipe(takeUntil(this.watches.ended));
  }

  /** Hears of every new view of a service from now on; returns how to stop. */
  onChange(service: string, listener: (view: ServiceView) => void): () => void {
    return this.watches.get(service).onChange(listener);
  }

  /** Hears of every new list of services from now on; returns how to stop. */
  onServices(listener: (services: readonly string[]) => void): () => void {
    return this.watches.services.onChange(listener);
  }
}

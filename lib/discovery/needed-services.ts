import type { OnApplicationBootstrap } from '@nestjs/common';
import type { EventHub } from '../common/event-hub.js';
import { HealthContributor, type HealthReport } from '../health/health-contributor.js';
import type { DiscoverySettings } from './discovery.options.js';
import type { ServiceWatches } from './service-watches.js';

/** Not ready until the registry has answered once about every service that this application needs (`discovery.services`). */
export class NeededServices extends HealthContributor implements OnApplicationBootstrap {
  override readonly name = 'services';
  override readonly refreshOn = ['services.known', 'instances.changed'] as const;

  constructor(
    private readonly settings: DiscoverySettings,
    private readonly watches: ServiceWatches,
    private readonly events: EventHub,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    const { services } = this.settings;
    // Not awaited by the start: the application is up and says that it is not ready.
    void this.announce(services);
  }

  private async announce(services: readonly string[]): Promise<void> {
    await Promise.all(services.map((service) => this.watches.get(service).ready()));
    this.events.emit('services.known', { services });
  }

  override check(): HealthReport {
    const watches = this.settings.services.map((service) => this.watches.get(service));
    const unknown = watches.filter(({ answered }) => !answered).map(({ service }) => service);
    const empty = watches
      .filter(({ answered, view }) => answered && view.instances.length === 0)
      .map(({ service }) => service);
    if (unknown.length > 0) return { status: 'down', details: { unknown } };
    return empty.length > 0 ? { status: 'degraded', details: { empty } } : { status: 'up' };
  }
}

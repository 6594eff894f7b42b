import { Inject, Injectable } from '@nestjs/common';
import { EventHub } from '../common/event-hub.js';
import { Availability } from '../health/availability.js';
import { HealthAggregator } from '../health/health-aggregator.js';
import { HealthContributor, type HealthReport } from '../health/health-contributor.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from './discovery-backend.js';
import { Reachability } from './reachability.js';
import { Registrar } from './registrar.js';

/**
 * Whether the registry answers, and whether this instance is in it.
 *
 * Never `down`: without the registry this service still answers, and every instance would be down at the same time.
 */
@Injectable()
export class DiscoveryContributor extends HealthContributor {
  override readonly name = 'discovery';
  override readonly critical = false;

  constructor(
    @Inject(DISCOVERY_BACKEND) private readonly backend: DiscoveryBackend,
    private readonly reachability: Reachability,
    private readonly registrar: Registrar,
    aggregator: HealthAggregator,
    availability: Availability,
    events: EventHub,
  ) {
    super();
    // Health is looked at every few seconds; what happens here is known at once.
    const look = () => {
      if (availability.state === 'ready') void aggregator.refresh();
    };
    events.on('instance.registered', look);
    events.on('registry.unreachable', look);
    events.on('registry.reachable', look);
  }

  override check(): HealthReport {
    const { reason, since } = this.reachability;
    return {
      status: reason === undefined ? 'up' : 'degraded',
      details: {
        backend: this.backend.name,
        ...(this.registrar.registers && { registered: this.registrar.registered?.id ?? false }),
        ...(reason !== undefined && { reason }),
        ...(since !== undefined && { unreachableSince: new Date(since).toISOString() }),
      },
    };
  }
}

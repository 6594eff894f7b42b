import { Inject, Injectable } from '@nestjs/common';
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
  override readonly refreshOn = [
    'instance.registered',
    'lease.lost',
    'registry.reachable',
    'registry.unreachable',
  ] as const;

  constructor(
    @Inject(DISCOVERY_BACKEND) private readonly backend: DiscoveryBackend,
    private readonly reachability: Reachability,
    private readonly registrar: Registrar,
  ) {
    super();
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

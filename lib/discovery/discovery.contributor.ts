import { Inject, Injectable } from '@nestjs/common';
import { HealthContributor, type HealthReport } from '../health/health-contributor.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from './discovery-backend.js';
import { Reachability } from './reachability.js';
import { Registrar } from './registrar.js';
import { ScreenedSource } from './screened-source.js';
import type { ServiceView } from './service-view.js';
import { ServiceWatches } from './service-watches.js';

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
    'view.aged',
    'instance.refused',
  ] as const;

  constructor(
    @Inject(DISCOVERY_BACKEND) private readonly backend: DiscoveryBackend,
    private readonly reachability: Reachability,
    private readonly registrar: Registrar,
    private readonly watches: ServiceWatches,
    private readonly source: ScreenedSource,
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
        ...this.views(),
        ...(since !== undefined && { unreachableSince: new Date(since).toISOString() }),
      },
    };
  }

  /** What is old, and what is left out; nothing while there is neither. */
  private views(): Readonly<Record<string, unknown>> {
    const { stale } = this.watches;
    const { refused } = this.source;
    return {
      ...(stale.length > 0 && { staleSince: Object.fromEntries(stale.map(since)) }),
      ...(refused.length > 0 && {
        refused: refused.slice(0, 20).map(({ instance, reason }) => ({ id: instance.id, reason })),
      }),
    };
  }
}

function since({ service, staleSince = 0 }: ServiceView): readonly [string, string] {
  return [service, new Date(staleSince).toISOString()];
}

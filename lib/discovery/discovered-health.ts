import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { HealthReport, HealthStatus } from '../health/health-contributor.js';
import { ServiceHealth } from '../health/service-health.js';
import type { ServiceView } from './service-view.js';
import { ServiceWatches } from './service-watches.js';

/** How other services are, as the registry shows them: nobody is asked for it. */
@Injectable()
export class DiscoveredHealth extends ServiceHealth implements OnApplicationBootstrap {
  constructor(private readonly watches: ServiceWatches) {
    super();
  }

  onApplicationBootstrap(): void {
    // Opens the list, so that it is there when the first question comes.
    void this.watches.services;
  }

  /** Only of services that exist: whoever asks for names that do not must not open watches. */
  override of(service: string): HealthReport | undefined {
    if (!this.watches.services.latest?.includes(service)) return undefined;
    const { answered, view } = this.watches.get(service);
    if (!answered) return { status: 'degraded', details: { reason: 'looked up now; ask again' } };
    return { status: statusOf(view), details: detailsOf(view) };
  }
}

function statusOf({ all, instances }: ServiceView): HealthStatus {
  if (instances.length === 0) return 'down';
  return all.every(({ status }) => status === 'up') ? 'up' : 'degraded';
}

function detailsOf({ all, instances, stale }: ServiceView): Record<string, unknown> {
  return {
    instances: all.map(({ id, host, port, status }) => ({ id, host, port, status })),
    available: instances.length,
    ...(stale && { stale }),
  };
}

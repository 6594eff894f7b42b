import { Inject, Injectable } from '@nestjs/common';
import { HealthContributor, type HealthReport } from '../health/health-contributor.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from './gateway.options.js';
import { GatewayRoutes } from './gateway-routes.js';

/** Whether every route that services publish is served. Never `down`: what is served is served. */
@Injectable()
export class GatewayContributor extends HealthContributor {
  override readonly name = 'gateway';
  override readonly critical = false;
  override readonly refreshOn = ['routes.changed', 'route.conflicted'] as const;

  constructor(
    private readonly routes: GatewayRoutes,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    super();
  }

  override check(): HealthReport {
    const conflicts = this.routes.conflicts();
    const shadows = this.routes.shadows();
    const refused = this.routes.refused();
    const conflicted =
      (conflicts.length > 0 && this.settings.routeConflictPolicy.duplicate === 'error') ||
      (shadows.length > 0 && this.settings.routeConflictPolicy.shadow === 'error');
    return {
      status: conflicted || refused.length > 0 ? 'degraded' : 'up',
      details: {
        routes: this.routes.table.routes.length,
        ...(conflicts.length > 0 && { conflicts }),
        ...(shadows.length > 0 && { shadows }),
        ...(refused.length > 0 && { refused }),
      },
    };
  }
}

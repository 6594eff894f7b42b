import { Injectable } from '@nestjs/common';
import { HealthContributor, type HealthReport } from '../health/health-contributor.js';
import { ConfigLoader } from './config-loader.js';

/** Says whether the configuration is the newest there is. It asks nobody: what the loader knows is enough. */
@Injectable()
export class ConfigContributor extends HealthContributor {
  override readonly name = 'config';
  /** A service with its last good values still works. */
  override readonly critical = false;
  override readonly refreshOn = [
    'config.changed',
    'config.rejected',
    'config.reverted',
    'config.reachable',
    'config.unreachable',
  ] as const;

  constructor(private readonly loader: ConfigLoader) {
    super();
  }

  override check(): HealthReport {
    const { status } = this.loader;
    const well = status.away === undefined && status.rejected === undefined;
    return { status: well ? 'up' : 'degraded', details: { ...status } };
  }
}

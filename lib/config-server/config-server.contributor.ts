import { Injectable } from '@nestjs/common';
import { HealthContributor, type HealthReport } from '../health/health-contributor.js';
import { ConfigPublisher } from './config-publisher.js';

/** Says whether every configuration that is asked for can be read. */
@Injectable()
export class ConfigServerContributor extends HealthContributor {
  override readonly name = 'config-repository';
  /** The last good configurations are served on. */
  override readonly critical = false;

  constructor(private readonly publisher: ConfigPublisher) {
    super();
  }

  override check(): HealthReport {
    const { failures } = this.publisher;
    return failures.length === 0 ? { status: 'up' } : { status: 'degraded', details: { failures } };
  }
}

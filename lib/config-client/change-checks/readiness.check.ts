import { Injectable } from '@nestjs/common';
import { HealthAggregator } from '../../health/health-aggregator.js';
import { ChangeCheck } from '../change-check.js';

/** Whether a service that was ready for traffic is no longer. */
@Injectable()
export class ReadinessCheck extends ChangeCheck {
  override readonly name = 'readiness';
  private wasDown = false;
  private asked = 0;

  constructor(private readonly health: HealthAggregator) {
    super();
  }

  override begin(): void {
    this.wasDown = this.health.report('readiness').status === 'down';
    this.asked = 0;
  }

  override problem(): string | undefined {
    if (this.wasDown) return undefined;
    // The usual interval is too slow for a trial; a round that is under way is joined.
    if (this.asked++ % 4 === 0) void this.health.refresh();
    const { status, checks } = this.health.report('readiness');
    if (status !== 'down') return undefined;
    const down = checks.filter((check) => check.status === 'down').map(({ name }) => name);
    return `readiness failed after it (${down.join(', ')})`;
  }
}

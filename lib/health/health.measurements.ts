import { Injectable } from '@nestjs/common';
import { type Measurement, MeasurementSource } from '../common/measurements.js';
import { Availability } from './availability.js';
import { HealthAggregator } from './health-aggregator.js';

const VALUES = { up: 1, degraded: 0.5, down: 0 } as const;

/** How every check is, as last known, and whether this instance may have traffic. */
@Injectable()
export class HealthMeasurements extends MeasurementSource {
  constructor(
    private readonly aggregator: HealthAggregator,
    private readonly availability: Availability,
  ) {
    super();
  }

  override *measure(): Iterable<Measurement> {
    const ready =
      this.availability.state === 'ready' && this.aggregator.report('readiness').status !== 'down';
    yield { name: 'health.ready', value: ready ? 1 : 0 };
    for (const { name: check, status } of this.aggregator.report().checks) {
      yield { name: 'health.check', value: VALUES[status], labels: { check } };
    }
  }
}

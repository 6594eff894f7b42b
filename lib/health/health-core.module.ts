import { Global, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { Availability } from './availability.js';
import { AvailabilityLifecycle } from './availability-lifecycle.js';
import { HealthAggregator } from './health-aggregator.js';
import { HealthMeasurements } from './health.measurements.js';

/** Health without endpoints: for rooms that ask how the service is, or say when it leaves. */
@Global()
@Module({
  imports: [CommonModule],
  providers: [Availability, AvailabilityLifecycle, HealthAggregator, HealthMeasurements],
  exports: [Availability, HealthAggregator],
})
export class HealthCoreModule {}

import { Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { type Measurement, MeasurementSource } from '../common/measurements.js';
import { Reachability } from './reachability.js';
import { Registrar } from './registrar.js';
import type { InstanceStatus } from './service-instance.js';
import { ServiceWatches } from './service-watches.js';

const STATUSES: readonly InstanceStatus[] = ['up', 'degraded', 'draining', 'down'];

/** What is known of the services that are watched, how old that is, and whether this instance is registered. */
@Injectable()
export class DiscoveryMeasurements extends MeasurementSource {
  constructor(
    private readonly watches: ServiceWatches,
    private readonly registrar: Registrar,
    private readonly reachability: Reachability,
    private readonly clock: Clock,
  ) {
    super();
  }

  override *measure(): Iterable<Measurement> {
    if (this.registrar.registers) {
      yield { name: 'registration.held', value: this.registrar.registered ? 1 : 0 };
    }
    const { since } = this.reachability;
    const away = since === undefined ? 0 : (this.clock.wallTime() - since) / 1_000;
    for (const { service: target, all, stale } of this.watches.views()) {
      yield { name: 'registry.stale', value: stale ? away : 0, labels: { target } };
      for (const status of STATUSES) {
        const value = all.filter((instance) => instance.status === status).length;
        yield { name: 'registry.instances', value, labels: { target, status } };
      }
    }
  }
}

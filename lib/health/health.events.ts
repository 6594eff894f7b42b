import type { AvailabilityState } from './availability.js';
import type { HealthStatus } from './health-contributor.js';

/** A step in an application's life. */
export interface AvailabilityChange {
  readonly from: AvailabilityState;
  readonly to: AvailabilityState;
}

/** How a service was, and how it is. */
export interface HealthChange {
  readonly from: HealthStatus;
  readonly to: HealthStatus;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** The service began to start, became ready for traffic, or began to leave. */
    'availability.changed': AvailabilityChange;
    /** The health of the whole service is another than before. */
    'health.changed': HealthChange;
  }
}

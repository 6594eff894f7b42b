import type { AvailabilityState } from './availability.js';
import type { HealthStatus } from './health-contributor.js';

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** The service began to start, became ready for traffic, or began to leave. */
    'availability.changed': { readonly from: AvailabilityState; readonly to: AvailabilityState };
    /** The health of the whole service is another than before. */
    'health.changed': { readonly from: HealthStatus; readonly to: HealthStatus };
  }
}

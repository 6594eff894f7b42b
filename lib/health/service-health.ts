import type { HealthReport } from './health-contributor.js';

/**
 * What another room knows of the health of other services; every provider that extends this class is asked by
 * `GET /health/{service}`.
 */
export abstract class ServiceHealth {
  /** How a service is, or `undefined` when nothing is known of it. Synchronous: it answers from what is known already. */
  abstract of(service: string): HealthReport | undefined;
}

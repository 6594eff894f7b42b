import type { EventName } from '../common/event-hub.js';

/** How one thing is. `degraded` still works, and answers 200. */
export type HealthStatus = 'up' | 'degraded' | 'down';

/** What a contributor says of its thing. */
export interface HealthReport {
  readonly status: HealthStatus;
  /** What a person needs to know; shown only to those who may see details. Plain JSON, no secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Which question a report answers: is the process alive, and may it have traffic. */
export type HealthGroup = 'liveness' | 'readiness';

/**
 * Says how one thing is; every provider that extends this class contributes to the service's health.
 *
 * A check that throws, or takes too long, counts as `down` with its reason, and never hides the others.
 *
 * @example
 * @Injectable()
 * class DatabaseHealth extends HealthContributor {
 *   override readonly name = 'database';
 *   constructor(private readonly database: Database) { super(); }
 *   override async check() { await this.database.ping(); return { status: 'up' as const }; }
 * }
 */
export abstract class HealthContributor {
  /** What it is called in the answer; unique in the application. */
  abstract readonly name: string;

  /** Whether its `down` makes the service down (true) or only degraded. @default true */
  readonly critical: boolean = true;

  /** The groups it belongs to. Liveness must not depend on anything outside of the process. @default ['readiness'] */
  readonly groups: readonly HealthGroup[] = ['readiness'];

  /** The events after which it is asked again soon, instead of with the next round. @default none */
  readonly refreshOn: readonly EventName[] = [];

  /** Looks; the signal aborts when nobody waits for the answer any more. */
  abstract check(signal: AbortSignal): HealthReport | Promise<HealthReport>;
}

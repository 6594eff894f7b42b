import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { InvalidOptionsError } from '../common/errors.js';
import { MetadataExplorer } from '../common/metadata-explorer.js';
import { isServiceName, ServiceIdentity } from '../common/service-identity.js';
import { Availability, type AvailabilityState } from './availability.js';
import { type ContributorHealth, HealthAggregator } from './health-aggregator.js';
import type { HealthGroup, HealthStatus } from './health-contributor.js';
import { ServiceHealth } from './service-health.js';

/** The word in an answer. `unknown` is said of other services only. */
export type AnswerStatus = HealthStatus | Exclude<AvailabilityState, 'ready'> | 'unknown';

/** One check in an answer. */
export type CheckAnswer = Omit<ContributorHealth, 'name'>;

/** What a health endpoint answers; a stranger gets the first three fields. */
export interface HealthAnswer {
  readonly service: string;
  readonly status: AnswerStatus;
  /** ISO 8601, in UTC. */
  readonly timestamp: string;
  readonly version?: string;
  /** The single checks, by name. */
  readonly checks?: Readonly<Record<string, CheckAnswer>>;
  /** What is known of another service. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The HTTP status of each word, and what the registry hears meanwhile:
 *
 * | status     | HTTP | registry                            |
 * |------------|------|-------------------------------------|
 * | `up`       | 200  | passing                             |
 * | `degraded` | 200  | warning; it still gets its traffic  |
 * | `down`     | 503  | critical; no traffic                |
 * | `starting` | 503  | not registered yet                  |
 * | `draining` | 503  | deregistered                        |
 * | `unknown`  | 404  | –                                   |
 */
export const HTTP_STATUS: Readonly<Record<AnswerStatus, number>> = {
  up: 200,
  degraded: 200,
  down: 503,
  starting: 503,
  draining: 503,
  unknown: 404,
};

/** Names that are endpoints, so that no service can have them. */
const RESERVED: ReadonlySet<string> = new Set(['live', 'ready', 'startup']);

/** Answers how this service is, and what it knows of others; from memory, so that a probe costs nothing. */
@Injectable()
export class HealthAnswers implements OnApplicationBootstrap {
  private others: readonly ServiceHealth[] = [];
  private hasStarted = false;

  constructor(
    private readonly aggregator: HealthAggregator,
    private readonly availability: Availability,
    private readonly identity: ServiceIdentity,
    private readonly explorer: MetadataExplorer,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    const { name } = this.identity;
    if (RESERVED.has(name)) {
      throw new InvalidOptionsError(
        `A service cannot be called '${name}', because /health/${name} is an endpoint of its own. Give it another name.`,
      );
    }
    this.others = this.explorer.providersOf(ServiceHealth);
  }

  /** How the whole service is. */
  overall(): HealthAnswer {
    const { state } = this.availability;
    return this.answer(state === 'ready' ? this.aggregator.status() : state);
  }

  /** Whether the process works; depends on nothing outside of it, and so also holds while starting or draining. */
  live(): HealthAnswer {
    return this.answer(this.aggregator.report('liveness').status, 'liveness');
  }

  /** Whether it may have traffic. */
  ready(): HealthAnswer {
    const { state } = this.availability;
    const status = state === 'ready' ? this.aggregator.report('readiness').status : state;
    return this.answer(status, 'readiness');
  }

  /** Whether it has started, once and for all: it listens, and each check of the group `startup` was well once. */
  startup(): HealthAnswer {
    const { state } = this.availability;
    this.hasStarted ||= state !== 'starting' && this.aggregator.hasSucceeded('startup');
    return this.answer(this.hasStarted ? 'up' : 'starting', 'startup');
  }

  /** How the checks of a group of the application's own are. */
  group(group: string): HealthAnswer {
    return this.answer(this.aggregator.report(group).status, group);
  }

  /** How a service is: this one, a group of its checks, or another service that some room knows of. */
  of(service: string): HealthAnswer {
    if (service === this.identity.name) return this.overall();
    if (this.aggregator.hasGroup(service)) return this.group(service);
    const timestamp = this.timestamp();
    // What is no name is not repeated to the one who sent it.
    if (!isServiceName(service)) return { service: '', status: 'unknown', timestamp };
    for (const other of this.others) {
      const report = other.of(service);
      if (report) return { service, timestamp, ...report };
    }
    return { service, status: 'unknown', timestamp };
  }

  private answer(status: AnswerStatus, group?: HealthGroup): HealthAnswer {
    const { name: service, version } = this.identity;
    const checks = this.aggregator
      .report(group)
      .checks.map(({ name, ...check }) => [name, check] as const);
    return {
      service,
      status,
      timestamp: this.timestamp(),
      ...(version === undefined ? {} : { version }),
      checks: Object.fromEntries(checks),
    };
  }

  private timestamp(): string {
    return new Date(this.clock.wallTime()).toISOString();
  }
}

import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { EventHub } from '../common/event-hub.js';
import { MetadataExplorer } from '../common/metadata-explorer.js';
import { decoratedContributors } from './contributors/decorated.contributor.js';
import { HealthCheck, type HealthThresholds } from './health-check.js';
import { HealthContributor, type HealthGroup, type HealthStatus } from './health-contributor.js';
import { refuseDuplicates, refuseUnknownNames } from './health-names.js';

/** Until everything has been well once, checks come this often, in ms, so that a start is noticed soon. */
const IMPATIENT_INTERVAL = 1_000;

/** How soon a check follows an event that asks for it, in ms; a storm of events costs one check for each such time. */
const SOON = 50;

/** How one contributor's thing is. */
export interface ContributorHealth {
  readonly name: string;
  readonly status: HealthStatus;
  /** Whether it can make the whole service `down`. */
  readonly critical: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** How a service is, and why. */
export interface HealthSummary {
  readonly status: HealthStatus;
  readonly checks: readonly ContributorHealth[];
}

/** How the aggregator looks; both times in ms. */
export interface HealthSchedule {
  /** Time between the end of a round and the next. */
  readonly interval: number;
  /** How long one check may take. */
  readonly timeout: number;
  readonly thresholds?: HealthThresholds;
  /** Contributors by name, of groups that the application has made up or adds to. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Asks every `HealthContributor` in the background and knows the answers, so that probes cost nothing.
 *
 * The first round runs at start. A `down` of a critical contributor counts from the second in a row.
 */
@Injectable()
export class HealthAggregator implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly stopped = new AbortController();
  private readonly given: HealthContributor[] = [];
  private checks: readonly HealthCheck[] = [];
  private schedule: HealthSchedule = { interval: 5_000, timeout: 2_000 };
  private overall: HealthStatus = 'up';
  private round: Promise<void> | undefined;
  private cancelNext: () => void = () => {};
  private cancelSoon: () => void = () => {};
  private readonly urgent = new Set<HealthCheck>();
  private readonly endings: (() => void)[] = [];

  constructor(
    private readonly explorer: MetadataExplorer,
    private readonly clock: Clock,
    private readonly events: EventHub,
  ) {}

  /** Says how often to look, and adds contributors that are no providers. Call it before the application has started. */
  configure(schedule: HealthSchedule, contributors: readonly HealthContributor[] = []): void {
    this.schedule = schedule;
    this.given.push(...contributors);
  }

  /** How the whole service is, as last known. */
  status(): HealthStatus {
    return this.overall;
  }

  /** How the service is as last known, and why; of one group, or of all. */
  report(group?: HealthGroup): HealthSummary {
    const checks = this.checksOf(group);
    return {
      status: worst(checks.map((check) => check.weight)),
      checks: checks.map(({ contributor: { name, critical }, report: { status, details } }) =>
        details ? { name, status, critical, details } : { name, status, critical },
      ),
    };
  }

  /** Another number whenever something was said, so that what was made of a report can be kept until then. */
  get revision(): number {
    let sum = 0;
    for (const { notes } of this.checks) sum += notes;
    return sum;
  }

  /** Whether there is such a group. */
  hasGroup(group: string): boolean {
    return group in (this.schedule.groups ?? {}) || this.checksOf(group).length > 0;
  }

  /** Whether every check of a group has been well once. */
  hasSucceeded(group: HealthGroup): boolean {
    return this.checksOf(group).every((check) => check.hasSucceeded);
  }

  /** Looks now; a round that is under way already is joined. */
  refresh(): Promise<void> {
    this.round ??= this.look().finally(() => (this.round = undefined));
    return this.round;
  }

  async onApplicationBootstrap(): Promise<void> {
    const contributors = new Set([
      ...this.explorer.providersOf(HealthContributor),
      ...decoratedContributors(this.explorer),
      ...this.given,
    ]);
    const { thresholds, groups = {} } = this.schedule;
    refuseDuplicates(contributors);
    refuseUnknownNames(contributors, groups);
    this.checks = [...contributors].map(
      (contributor) => new HealthCheck(contributor, this.clock, thresholds),
    );
    for (const check of this.checks) {
      for (const name of check.contributor.refreshOn) {
        this.endings.push(this.events.on(name, () => this.lookSoon(check)));
      }
    }
    await this.refresh();
  }

  onModuleDestroy(): void {
    this.stopped.abort();
    this.cancelNext();
    this.cancelSoon();
    for (const end of this.endings) end();
  }

  private checksOf(group?: HealthGroup): readonly HealthCheck[] {
    if (group === undefined) return this.checks;
    const named = this.schedule.groups?.[group];
    return this.checks.filter(
      ({ contributor: { name, groups } }) => groups.includes(group) || named?.includes(name),
    );
  }

  private lookSoon(check: HealthCheck): void {
    this.urgent.add(check);
    if (this.urgent.size === 1) {
      this.cancelSoon = this.clock.after(SOON, () => void this.lookAtUrgent());
    }
  }

  private async lookAtUrgent(): Promise<void> {
    const checks = [...this.urgent];
    this.urgent.clear();
    const { signal } = this.stopped;
    await Promise.all(checks.map((check) => check.run(this.schedule.timeout, signal)));
    if (!signal.aborted) this.conclude();
  }

  private async look(): Promise<void> {
    const { signal } = this.stopped;
    if (signal.aborted) return;
    this.cancelNext();
    await Promise.all(this.checks.map((check) => check.run(this.schedule.timeout, signal)));
    if (signal.aborted) return;
    this.conclude();
    this.cancelNext = this.clock.after(this.delay(), () => void this.refresh());
  }

  private conclude(): void {
    const from = this.overall;
    const to = worst(this.checks.map((check) => check.weight));
    this.overall = to;
    if (from !== to) this.events.emit('health.changed', { from, to });
  }

  private delay(): number {
    const { interval } = this.schedule;
    const settled = this.checks.every((check) => check.hasSucceeded);
    return settled ? interval : Math.min(interval, IMPATIENT_INTERVAL);
  }
}

function worst(statuses: readonly HealthStatus[]): HealthStatus {
  if (statuses.includes('down')) return 'down';
  return statuses.includes('degraded') ? 'degraded' : 'up';
}

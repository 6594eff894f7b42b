import type { Clock } from '../common/clock.js';
import { formatDuration, milliseconds } from '../common/duration.js';
import { messageOf } from '../common/errors.js';
import type { HealthContributor, HealthReport, HealthStatus } from './health-contributor.js';

const STATUSES: readonly unknown[] = ['up', 'degraded', 'down'] satisfies HealthStatus[];

/** How many answers in a row it takes to change what a check counts for. */
export interface HealthThresholds {
  /** Failures until something that was well is `down`. */
  readonly failures: number;
  /** Successes until something that was `down` is well. */
  readonly successes: number;
}

/** One contributor and what it said last. */
export class HealthCheck {
  private last: HealthReport = { status: 'up' };
  /** How often its contributor has said something. */
  notes = 0;
  private failures = 0;
  private successes = 0;
  private wasWell = false;
  /** Whether enough failures came in a row. */
  private isDown = false;
  private askedAt = -Infinity;
  private readonly cache: number;
  /** Whether an answer is awaited, in its time or beyond it. */
  private pending: 'no' | 'in time' | 'late' = 'no';

  constructor(
    readonly contributor: HealthContributor,
    private readonly clock: Clock,
    private readonly thresholds: HealthThresholds = { failures: 2, successes: 1 },
  ) {
    this.cache = contributor.cache === undefined ? 0 : milliseconds(contributor.cache);
  }

  /** What the contributor said last. */
  get report(): HealthReport {
    return this.last;
  }

  /** Whether it has ever said that its thing works. */
  get hasSucceeded(): boolean {
    return this.wasWell;
  }

  /**
   * What it counts for: a `down` counts from the second in a row, so that one lost packet takes no instance out;
   * something that has never been well counts at once. What is not critical, or is shared by all instances, makes the
   * service `degraded` at most.
   */
  get weight(): HealthStatus {
    const { critical, scope } = this.contributor;
    if (this.isDown) return critical && scope === 'instance' ? 'down' : 'degraded';
    return this.last.status === 'down' ? 'degraded' : this.last.status;
  }

  /** Asks the contributor, for so long at most, in ms; one that still owes its last answer is not asked again. */
  async run(usual: number, parent: AbortSignal): Promise<void> {
    const { timeout: own } = this.contributor;
    const timeout = own === undefined ? usual : milliseconds(own);
    if (this.pending === 'late') this.note(late(timeout));
    const now = this.clock.now();
    if (this.pending !== 'no' || now - this.askedAt < this.cache) return;
    this.askedAt = now;
    this.pending = 'in time';
    const { signal, cancel } = this.clock.deadline(timeout, parent);
    const answer = this.ask(signal).finally(() => (this.pending = 'no'));
    const report = await Promise.race([answer, this.overdue(signal)]);
    cancel();
    if (!parent.aborted) this.note(report ?? late(timeout));
  }

  private async ask(signal: AbortSignal): Promise<HealthReport> {
    try {
      const report: unknown = await this.contributor.check(signal);
      return isReport(report) ? report : failed('the check answered no health report');
    } catch (error) {
      return failed(messageOf(error));
    }
  }

  /** Resolves when the time is over. */
  private overdue(signal: AbortSignal): Promise<undefined> {
    return new Promise((resolve) => {
      const end = () => {
        // At once, so that an answer that comes because of the signal is seen to come after it.
        if (this.pending === 'in time') this.pending = 'late';
        resolve(undefined);
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  }

  private note(report: HealthReport): void {
    this.last = report;
    this.notes++;
    const { failures, successes } = this.thresholds;
    if (report.status === 'down') {
      this.successes = 0;
      this.failures++;
      if (!this.wasWell || this.failures >= failures) this.isDown = true;
    } else {
      this.failures = 0;
      this.successes++;
      if (!this.wasWell || this.successes >= successes) this.isDown = false;
      this.wasWell = true;
    }
  }
}

function isReport(value: unknown): value is HealthReport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'status' in value &&
    STATUSES.includes(value.status)
  );
}

function failed(reason: string): HealthReport {
  return { status: 'down', details: { reason } };
}

function late(timeout: number): HealthReport {
  return failed(`no answer within ${formatDuration(timeout)}`);
}

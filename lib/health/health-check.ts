import type { Clock } from '../common/clock.js';
import { formatDuration } from '../common/duration.js';
import { messageOf } from '../common/errors.js';
import type { HealthContributor, HealthReport, HealthStatus } from './health-contributor.js';

/** How many failures in a row it takes before a check that was well counts as `down`. */
const FAILURES_TO_COUNT = 2;

const STATUSES: readonly unknown[] = ['up', 'degraded', 'down'] satisfies HealthStatus[];

/** One contributor and what it said last. */
export class HealthCheck {
  private last: HealthReport = { status: 'up' };
  private failures = 0;
  private wasWell = false;
  /** Whether an answer is awaited, in its time or beyond it. */
  private pending: 'no' | 'in time' | 'late' = 'no';

  constructor(
    readonly contributor: HealthContributor,
    private readonly clock: Clock,
  ) {}

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
   * something that has never been well counts at once. What is not critical makes the service `degraded` at most.
   */
  get weight(): HealthStatus {
    if (this.last.status !== 'down') return this.last.status;
    if (!this.contributor.critical) return 'degraded';
    return this.wasWell && this.failures < FAILURES_TO_COUNT ? 'degraded' : 'down';
  }

  /** Asks the contributor, for so long at most, in ms; one that still owes its last answer is not asked again. */
  async run(timeout: number, parent: AbortSignal): Promise<void> {
    if (this.pending === 'late') this.note(late(timeout));
    if (this.pending !== 'no') return;
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
    this.failures = report.status === 'down' ? this.failures + 1 : 0;
    this.wasWell ||= report.status !== 'down';
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

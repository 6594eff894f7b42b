import {
  HealthContributor,
  type HealthContributorOptions,
  type HealthGroup,
  type HealthReport,
  type HealthScope,
} from '../health-contributor.js';
import type { Duration } from '../../common/duration.js';

const STATUSES: ReadonlySet<unknown> = new Set(['up', 'degraded', 'down']);

/** A function as a contributor: what it throws says `down`, a report says what it says, and anything else `up`. */
export class CheckContributor extends HealthContributor {
  override readonly critical: boolean;
  override readonly groups: readonly HealthGroup[];
  override readonly timeout: Duration | undefined;
  override readonly cache: Duration | undefined;
  override readonly scope: HealthScope;

  constructor(
    override readonly name: string,
    private readonly ask: (signal: AbortSignal) => unknown,
    options: HealthContributorOptions = {},
  ) {
    super();
    this.critical = options.critical ?? true;
    this.groups = options.groups ?? ['readiness'];
    this.timeout = options.timeout;
    this.cache = options.cache;
    this.scope = options.scope ?? 'instance';
  }

  override async check(signal: AbortSignal): Promise<HealthReport> {
    const said = await this.ask(signal);
    return isReport(said) ? said : { status: 'up' };
  }
}

function isReport(value: unknown): value is HealthReport {
  return (
    typeof value === 'object' && value !== null && 'status' in value && STATUSES.has(value.status)
  );
}

import { messageOf } from '../../common/errors.js';
import {
  HealthContributor,
  type HealthGroup,
  type HealthReport,
  type HealthStatus,
} from '../health-contributor.js';

/** What an indicator of Terminus answers: its key, its status and its data. */
export type TerminusResult = Readonly<
  Record<string, { readonly status: HealthStatus } & Readonly<Record<string, unknown>>>
>;

/** How an indicator counts. */
export interface TerminusIndicatorOptions {
  /** Whether its `down` makes the service down (true) or only degraded. @default true */
  readonly critical?: boolean;
  /** The groups it belongs to. @default ['readiness'] */
  readonly groups?: readonly HealthGroup[];
}

/**
 * Makes an indicator of `@nestjs/terminus` a contributor to the service's health.
 *
 * Give it to `HealthModule.forRoot({ indicators: […] })`, or provide it anywhere.
 *
 * @example
 * const databaseHealth = {
 *   provide: 'DATABASE_HEALTH',
 *   inject: [TypeOrmHealthIndicator],
 *   useFactory: (typeorm: TypeOrmHealthIndicator) =>
 *     terminusIndicator('database', () => typeorm.pingCheck('database')),
 * };
 */
export function terminusIndicator(
  name: string,
  check: (signal: AbortSignal) => TerminusResult | PromiseLike<TerminusResult>,
  options: TerminusIndicatorOptions = {},
): HealthContributor {
  return new TerminusContributor(name, check, options);
}

class TerminusContributor extends HealthContributor {
  override readonly critical: boolean;
  override readonly groups: readonly HealthGroup[];

  constructor(
    override readonly name: string,
    private readonly indicate: (
      signal: AbortSignal,
    ) => TerminusResult | PromiseLike<TerminusResult>,
    { critical = true, groups = ['readiness'] }: TerminusIndicatorOptions,
  ) {
    super();
    this.critical = critical;
    this.groups = groups;
  }

  override async check(signal: AbortSignal): Promise<HealthReport> {
    try {
      return reportOf(await this.indicate(signal));
    } catch (error) {
      // Indicators written for Terminus 10 and 11 throw their result inside of a HealthCheckError.
      const causes = (error as { causes?: unknown } | undefined)?.causes;
      if (isResult(causes)) return reportOf(causes);
      return { status: 'down', details: { reason: messageOf(error) } };
    }
  }
}

/** An indicator may answer several keys; the worst status counts. */
function reportOf(result: TerminusResult): HealthReport {
  const parts = Object.entries(result);
  const statuses = new Set(parts.map(([, { status }]) => status));
  const [only] = parts;
  const details = parts.length === 1 && only ? dataOf(only[1]) : Object.fromEntries(parts);
  const status = (['down', 'degraded'] as const).find((word) => statuses.has(word)) ?? 'up';
  return Object.keys(details).length > 0 ? { status, details } : { status };
}

function dataOf({
  status: _status,
  ...data
}: TerminusResult[string]): Readonly<Record<string, unknown>> {
  return data;
}

function isResult(value: unknown): value is TerminusResult {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(
      (part) => typeof part === 'object' && part !== null && 'status' in part,
    )
  );
}

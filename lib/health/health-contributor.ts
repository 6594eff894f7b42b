import type { Duration } from '../common/duration.js';
import type { EventName } from '../common/event-hub.js';

/** How one thing is. `degraded` still works, and answers 200. */
export type HealthStatus = 'up' | 'degraded' | 'down';

/** What a contributor says of its thing. */
export interface HealthReport {
  readonly status: HealthStatus;
  /** What a person needs to know; shown only to those who may see details. Plain JSON, no secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Which question a report answers: is the process alive, may it have traffic, has it started; or one of your own. */
// oxlint-disable-next-line typescript/ban-types -- keeps the known words among the suggestions
export type HealthGroup = 'liveness' | 'readiness' | 'startup' | (string & {});

/** Whether a thing that fails fails for one instance, or for all of them at once. */
export type HealthScope = 'instance' | 'shared';

/** How a check counts. */
export interface HealthContributorOptions {
  /** Whether its `down` makes the service down (true) or only degraded. @default true */
  readonly critical?: boolean;
  /** The groups it belongs to. Liveness must not depend on anything outside of the process. @default ['readiness'] */
  readonly groups?: readonly HealthGroup[];
  /** How long it may take. @default the module's `timeout`, '2s' */
  readonly timeout?: Duration;
  /** How long an answer is good, so that the thing is asked no more often. @default every round, each '5s' */
  readonly cache?: Duration;
  /**
   * A thing that all instances share, such as a database, makes none of them `down`: they would all leave at once, and
   * nobody would answer at all. @default 'instance'
   */
  readonly scope?: HealthScope;
}

abstract class Contributor {
  /** What it is called in the answer; unique in the application. */
  abstract readonly name: string;

  /** Whether its `down` makes the service down (true) or only degraded. @default true */
  readonly critical: boolean = true;

  /** The groups it belongs to. Liveness must not depend on anything outside of the process. @default ['readiness'] */
  readonly groups: readonly HealthGroup[] = ['readiness'];

  /** How long it may take. @default the module's `timeout`, '2s' */
  readonly timeout: Duration | undefined = undefined;

  /** How long an answer is good, so that the thing is asked no more often. @default every round, each '5s' */
  readonly cache: Duration | undefined = undefined;

  /** Whether a thing that fails fails for this instance or for all of them; for all, it is never `down`. @default 'instance' */
  readonly scope: HealthScope = 'instance';

  /** The events after which it is asked again soon, instead of with the next round. @default none */
  readonly refreshOn: readonly EventName[] = [];

  /** Looks; the signal aborts when nobody waits for the answer any more. */
  abstract check(signal: AbortSignal): HealthReport | Promise<HealthReport>;
}

/** What `@HealthContributor(…)` leaves on a class, or on a method. */
export interface HealthContributorMark extends HealthContributorOptions {
  readonly name: string;
  readonly method: string | symbol;
}

/** Where the decorator leaves its marks: on the prototype. */
export const HEALTH_CONTRIBUTORS = 'rookery:health-contributors';

/** Makes a class with a method `check`, or one method of any provider, a contributor. */
type ContributorDecorator = (
  name: string,
  options?: HealthContributorOptions,
) => ClassDecorator & MethodDecorator;

/** Says how one thing is. */
export type HealthContributor = Contributor;

/**
 * Says how one thing is; every provider that extends this class contributes to the service's health, and so does every
 * provider with `@HealthContributor(name, options)` on itself, or on a method.
 *
 * A check that throws, or takes too long, counts as `down` with its reason, and never hides the others. A decorated method
 * need not answer a report: that it does not throw says `up`.
 *
 * @example
 * @Injectable()
 * class DatabaseHealth extends HealthContributor {
 *   override readonly name = 'database';
 *   constructor(private readonly database: Database) { super(); }
 *   override async check() { await this.database.ping(); return { status: 'up' as const }; }
 * }
 *
 * @example
 * @Injectable()
 * class Database {
 *   @HealthContributor('database', { scope: 'shared', cache: '10s' })
 *   ping() { return this.pool.query('SELECT 1'); }
 * }
 */
export const HealthContributor = new Proxy(Contributor, {
  // A class cannot be called; by this one name can be extended and be written above a provider.
  apply: (_class, _this, [name, options]: Parameters<ContributorDecorator>) =>
    contributes(name, options),
}) as typeof Contributor & ContributorDecorator;

function contributes(name: string, options?: HealthContributorOptions) {
  return (target: object, method: string | symbol = 'check'): void => {
    const prototype = typeof target === 'function' ? (target.prototype as object) : target;
    const known = (Reflect.getMetadata(HEALTH_CONTRIBUTORS, prototype) ?? []) as readonly object[];
    const mark: HealthContributorMark = { ...options, name, method };
    Reflect.defineMetadata(HEALTH_CONTRIBUTORS, [...known, mark], prototype);
  };
}

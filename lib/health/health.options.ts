import type { Duration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  list,
  made,
  oneOf,
  optional,
  record,
  refuse,
  textOf,
  type OptionReader,
} from '../common/option-readers.js';
import { isServiceName } from '../common/service-identity.js';
import { HealthContributor } from './health-contributor.js';

/** Who is told more than the status. */
const DETAILS = ['local', 'always', 'never'] as const;

/** Who is told more than the status: callers on this machine, everybody, or nobody. */
export type HealthDetails = (typeof DETAILS)[number];

/** From which delay on the event loop counts as slow, and as stuck; both are means over one interval. */
export interface EventLoopLimits {
  /** From here on it is `degraded`. @default '100ms' */
  readonly degraded?: Duration;
  /** From here on it is `down`, and liveness answers 503. @default '2s' */
  readonly down?: Duration;
}

/** What a user may set of health. */
export interface HealthOptions {
  /** The service's name, a DNS label. @default the name given to RookeryModule, else SERVICE_NAME */
  readonly name?: string;
  /** The service's version. @default SERVICE_VERSION */
  readonly version?: string;
  /** Time between two rounds of checks. @default '5s' */
  readonly interval?: Duration;
  /** How long one check may take; shorter than the interval. @default '2s' */
  readonly timeout?: Duration;
  /**
   * Who is told of the single checks: callers on the same machine that came through no proxy (`local`), everybody
   * (`always`), nobody (`never`). Everyone else gets service, status and timestamp. @default 'local'
   */
  readonly details?: HealthDetails;
  /** Contributors that are no providers, such as `terminusIndicator(…)`. @default none */
  readonly indicators?: readonly HealthContributor[];
  /** When a busy event loop counts as unwell. */
  readonly eventLoop?: EventLoopLimits;
  /** How many failures in a row make something that was well `down`; the first ones count as `degraded`. @default 2 */
  readonly failureThreshold?: number;
  /** How many successes in a row make it well again. @default 1 */
  readonly successThreshold?: number;
  /**
   * Groups of your own, answered at `/health/{group}`, and further members of the known ones, as names of contributors:
   * `{ checkout: ['database', 'circuits'] }`. @default none
   */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** Imports Nest's `TerminusModule`, so that its indicators can be injected; loaded only then. @default false */
  readonly terminus?: boolean;
}

const memberNames = record(list(textOf()));

const readGroups: typeof memberNames = (value, path) => {
  const groups = memberNames(value, path);
  for (const name of Object.keys(groups)) {
    if (name in ENDPOINTS) {
      const remedy = `The group is called '${ENDPOINTS[name]}'.`;
      refuse(`${path}.${name}`, 'is an endpoint of its own', remedy);
    }
    if (!isServiceName(name))
      refuse(
        `${path}.${name}`,
        'cannot stand in a path',
        'Use lower-case letters, digits and inner hyphens.',
      );
  }
  return groups;
};

/** Endpoints with words of their own, and the groups they answer for. */
const ENDPOINTS: Readonly<Record<string, string>> = {
  live: 'liveness',
  ready: 'readiness',
};

const fields = group({
  name: optional(textOf()),
  version: optional(textOf()),
  interval: duration('5s', { min: 100 }),
  timeout: duration('2s', { min: 10 }),
  details: oneOf(DETAILS, 'local'),
  indicators: list(made(isContributor, 'a HealthContributor, such as terminusIndicator(…)')),
  eventLoop: group({
    degraded: duration('100ms', { min: 1 }),
    down: duration('2s', { min: 1 }),
  }),
  failureThreshold: integer(2, { min: 1, max: 100 }),
  successThreshold: integer(1, { min: 1, max: 100 }),
  groups: readGroups,
  terminus: flag(false),
});

/** The checked options, every default filled in and every time in ms. */
export type HealthSettings = ReturnType<typeof fields>;

/** Where the checked options are injected. */
export const HEALTH_SETTINGS = Symbol('HEALTH_SETTINGS');

/** Checks what a user wrote. */
export const readHealthOptions: OptionReader<HealthSettings> = (value, path) => {
  const settings = fields(value, path);
  if (settings.timeout > settings.interval) {
    refuse(
      `${path}.timeout`,
      'is longer than the interval',
      'Make it shorter, or the interval longer.',
    );
  }
  if (settings.eventLoop.degraded > settings.eventLoop.down) {
    refuse(`${path}.eventLoop.degraded`, 'is more than eventLoop.down', 'Make it less.');
  }
  return settings;
};

function isContributor(value: unknown): value is HealthContributor {
  return value instanceof HealthContributor;
}

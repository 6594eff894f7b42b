import type { Duration } from '../../common/duration.js';
import {
  duration,
  group,
  integer,
  oneOf,
  type OptionReader,
  optional,
  refuse,
  textOf,
} from '../../common/option-readers.js';

/** How much may be done in which time, and by whom. */
export interface RateLimit {
  /** What people and `RateLimit-Policy` know it by; limits of one name share their counts. @default 'default' */
  readonly name?: string;
  /** The units that may be spent in each period; a request costs one, unless `cost` says otherwise. */
  readonly limit: number;
  /** The period. */
  readonly per: Duration;
  /**
   * `token-bucket` refills evenly and allows bursts of `burst`; `sliding-window` never allows more than `limit` in any
   * period, by the share of the last period's count that still lies in the window. A shared store has its own way,
   * and says which. @default 'token-bucket'
   */
  readonly algorithm?: 'token-bucket' | 'sliding-window';
  /** The most units at once, of a token bucket. @default the limit */
  readonly burst?: number;
  /** What a request costs. @default 1 */
  readonly cost?: number;
  /**
   * Whose requests are counted together: of a network address (of IPv6 the /64), of a sender's subject, of its tenant, of
   * all on a route, or of a header's or claim's value: `'header:x-device'`, `'claim:plan'`. Subjects and what is
   * claimed are known only behind authentication; requests without one count by address. @default 'ip'
   */
  readonly by?: RateLimitKey;
}

export type RateLimitKey =
  'ip' | 'subject' | 'tenant' | 'route' | `header:${string}` | `claim:${string}`;

/** A rate limit, checked; times in ms. */
export interface RateLimitSettings {
  readonly name: string;
  readonly limit: number;
  readonly per: number;
  readonly algorithm: 'token-bucket' | 'sliding-window';
  readonly burst: number;
  readonly cost: number;
  readonly by: RateLimitKey;
}

const read = group({
  name: textOf({ matches: /^[\w-]{1,64}$/, remedy: 'Use up to 64 letters, digits, - and _.' }),
  limit: integer(0, { min: 1, max: 1e9 }),
  per: duration(0, { min: 1 }),
  algorithm: oneOf(['token-bucket', 'sliding-window'], 'token-bucket'),
  burst: optional(integer(0, { min: 1, max: 1e9 })),
  cost: integer(1, { min: 1 }),
  by: textOf({
    matches: /^(?:ip|subject|tenant|route|header:[\w-]+|claim:.+)$/,
    remedy: "Make it 'ip', 'subject', 'tenant', 'route', 'header:NAME' or 'claim:NAME'.",
  }),
});

/** Reads a rate limit as it was written. */
export const readRateLimit: OptionReader<RateLimitSettings> = (value, path) => {
  const given = typeof value === 'object' && value !== null ? value : {};
  const settings = read({ name: 'default', by: 'ip', ...given }, path);
  const burst = settings.burst ?? settings.limit;
  if (settings.algorithm === 'sliding-window' && settings.burst !== undefined)
    refuse(
      `${path}.burst`,
      'is set beside a sliding window',
      'Leave it out, or use a token bucket.',
    );
  if (settings.cost > burst)
    refuse(`${path}.cost`, `is ${settings.cost}, more than can ever be spent at once`, 'Lower it.');
  return { ...settings, burst, by: settings.by as RateLimitKey };
};

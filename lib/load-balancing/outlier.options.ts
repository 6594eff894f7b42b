import type { Duration } from '../common/duration.js';
import { duration, group, integer, number, type OptionReader } from '../common/option-readers.js';
import type { OutlierSettings } from './outlier-detector.js';

/** When an endpoint that keeps failing is left alone for a while. */
export interface OutlierOptions {
  /** How many failures in a row eject an endpoint; one that cannot be connected to is ejected at once. @default 5 */
  readonly consecutiveFailures?: number;
  /** How much more of its calls than of its peers' must fail to eject it, in percent points; 0 is never. @default 20 */
  readonly failureRate?: number;
  /** How many times longer than its fastest peer its calls must take to eject it; 0 is never. @default 0 */
  readonly latencyFactor?: number;
  /** How many calls an endpoint must have had of late before a rate or a latency says anything. @default 20 */
  readonly minimumCalls?: number;
  /** How far back calls are counted. @default '10s' */
  readonly window?: Duration;
  /** How long the first ejection takes; each further one takes twice as long. @default '10s' */
  readonly ejection?: Duration;
  /** The longest an ejection takes. @default '5m' */
  readonly maxEjection?: Duration;
  /**
   * With more than this share of the endpoints ejected for what they answered, in percent, these are candidates again.
   * Those that cannot be connected to do not count, and stay out while there is any other. @default 50
   */
  readonly maxEjected?: number;
}

/** Reads `OutlierOptions`. */
export const outlierSettings: OptionReader<OutlierSettings> = group({
  consecutiveFailures: integer(5, { min: 1 }),
  failureRate: number(20, { min: 0, max: 100 }),
  latencyFactor: number(0, { min: 0 }),
  minimumCalls: integer(20, { min: 1 }),
  window: duration('10s', { min: 100 }),
  ejection: duration('10s', { min: 1 }),
  maxEjection: duration('5m', { min: 1 }),
  maxEjected: integer(50, { min: 0, max: 100 }),
});

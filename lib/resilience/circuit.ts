import type { Duration } from '../common/duration.js';

/** `closed` lets calls through; `open` refuses them at once; `half-open` lets a few through to find out. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** What a user may set of a circuit. */
export interface CircuitOptions {
  /** The share of failed calls, in percent, that opens it. @default 50 */
  readonly failureRate?: number;
  /** How many calls the window must hold before the rate counts. @default 10 */
  readonly minimumCalls?: number;
  /** How far back calls are counted. @default '10s' */
  readonly window?: Duration;
  /** How long it stays open before it lets a call through. @default '5s' */
  readonly openFor?: Duration;
  /** How many calls may be under way while half-open, and must succeed to close it. @default 3 */
  readonly halfOpenCalls?: number;
}

/** A circuit as others see it: health, metrics, a dashboard. */
export interface CircuitView {
  /** What it protects: `inventory`. */
  readonly name: string;
  readonly state: CircuitState;
  /** Calls and failures within the window. */
  readonly calls: number;
  readonly failures: number;
}

import type { Duration } from '../common/duration.js';

/**
 * `closed` lets calls through; `open` refuses them at once; `half-open` lets a few through to find out; `disabled` lets
 * everything through and judges nothing, because a person said so.
 */
export type CircuitState = 'closed' | 'open' | 'half-open' | 'disabled';

/** What a user may set of a circuit. */
export interface CircuitOptions {
  /** The share of failed calls, in percent, that opens it. @default 50 */
  readonly failureRate?: number;
  /** The share of slow calls, in percent, that opens it, however well they end. @default 100 */
  readonly slowCallRate?: number;
  /** From how long on a call is slow; 0 is never. @default '60s' */
  readonly slowCall?: Duration;
  /** How many calls the window must hold before the rates count. @default 10 */
  readonly minimumCalls?: number;
  /** How far back calls are counted. @default '10s' */
  readonly window?: Duration;
  /** How long it stays open before it lets a call through. @default '500ms' */
  readonly openFor?: Duration;
  /** How many calls may be under way while half-open, and must succeed to close it. @default 3 */
  readonly halfOpenCalls?: number;
}

/** A circuit as others see it: health, metrics, a dashboard. */
export interface CircuitView {
  /** What it protects: `inventory`. */
  readonly name: string;
  readonly state: CircuitState;
  /** Whether a person opened or disabled it, so that it stays so until a person closes it. */
  readonly forced: boolean;
  /** Calls, and of them the failures and the slow ones, within the window. */
  readonly calls: number;
  readonly failures: number;
  readonly slowCalls: number;
}

/** A circuit that a person can move. */
export interface CircuitSwitch extends CircuitView {
  /** Refuses every call until it is closed by hand. */
  forceOpen(): void;
  /** Lets calls through again, with nothing counted. */
  forceClose(): void;
  /** Lets every call through and judges none, until it is closed by hand. */
  disable(): void;
}

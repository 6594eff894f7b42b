import type { Endpoint } from '../load-balancing/endpoint.js';
import type { UpstreamError } from './upstream.errors.js';

/** A call that failed on one endpoint in a way that allows a second try. */
export interface RetriedCall {
  readonly service: string;
  /** The endpoint of the first try. */
  readonly endpoint: Endpoint;
  readonly error: UpstreamError;
}

/** How a call ended: `refused` calls were not sent, `cancelled` ones were given up by their caller. */
export type CallEnding = 'success' | 'failure' | 'cancelled' | 'refused';

/** A call that has ended, with all of its tries. */
export interface EndedCall {
  readonly service: string;
  /** The endpoint of the last try, or `undefined` when there was none. */
  readonly endpoint: Endpoint | undefined;
  readonly method: string;
  readonly outcome: CallEnding;
  /** The status of the answer; 0 when no head came. */
  readonly status: number;
  /** How long the last try took until the head of its answer, in ms; 0 when no head came. */
  readonly latency: number;
  /** How many tries failed before the last one. */
  readonly retries: number;
  /** What it failed of, if no whole answer came. */
  readonly error: UpstreamError | undefined;
}

/** A call that had to wait before it could be sent. */
export interface WaitedCall {
  readonly service: string;
  /** For a connection to become free, or for one to be made. */
  readonly stage: 'queue' | 'connect';
  /** In ms. */
  readonly duration: number;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** A call is tried again. */
    'call.retried': RetriedCall;
    /** A call has waited for its connection. Most do not: they find one that is idle. */
    'call.waited': WaitedCall;
    /** A call has ended, well or not; made only when somebody listens. */
    'call.ended': EndedCall;
  }
}

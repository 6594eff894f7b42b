import type { Endpoint } from '../load-balancing/endpoint.js';
import type { UpstreamError } from './upstream.errors.js';

/** A call that failed on one endpoint in a way that allows a second try. */
export interface RetriedCall {
  readonly service: string;
  /** The endpoint of the first try. */
  readonly endpoint: Endpoint;
  readonly error: UpstreamError;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** A call is tried a second time. */
    'call.retried': RetriedCall;
  }
}

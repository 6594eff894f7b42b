import type { Endpoint } from '../load-balancing/endpoint.js';
import type { UpstreamError } from './upstream.errors.js';

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** A call failed on one endpoint in a way that allows a second try; that is under way. */
    'call.retried': {
      readonly service: string;
      readonly endpoint: Endpoint;
      readonly error: UpstreamError;
    };
  }
}

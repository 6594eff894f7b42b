import type { Endpoint } from './endpoint.js';

/**
 * Why an endpoint was ejected: failures in a row, more failures or longer answers than its peers have, a connection that
 * did not come about, or a failure while on probation.
 */
export type EjectionReason =
  'consecutive' | 'failure-rate' | 'latency' | 'unreachable' | 'probation';

/** An endpoint that failed too often and gets no calls for a while. */
export interface EndpointEjection {
  readonly endpoint: Endpoint;
  /** When it gets its next call, in ms since 1970. */
  readonly until: number;
  readonly reason: EjectionReason;
}

/** An endpoint that was ejected and has answered well again. */
export interface EndpointReadmission {
  readonly endpoint: Endpoint;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** An endpoint gets no calls for a while. */
    'endpoint.ejected': EndpointEjection;
    /** An endpoint gets calls again like any other. */
    'endpoint.readmitted': EndpointReadmission;
  }
}

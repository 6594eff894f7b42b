import type { Endpoint } from './endpoint.js';

/** An endpoint that failed too often in a row and gets no calls for a while. */
export interface EndpointEjection {
  readonly endpoint: Endpoint;
  /** When it gets its next call, in ms since 1970. */
  readonly until: number;
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

import type { Endpoint } from './endpoint.js';

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** An endpoint failed too often in a row and gets no calls for a while; `until` is in ms since 1970. */
    'endpoint.ejected': { readonly endpoint: Endpoint; readonly until: number };
    /** An endpoint that was ejected has answered well again. */
    'endpoint.readmitted': { readonly endpoint: Endpoint };
  }
}

import type { CircuitView } from './circuit.js';

/** A circuit that is in another state than before. */
export interface CircuitChange {
  readonly circuit: CircuitView;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** Too many calls failed: further ones are refused at once. */
    'circuit.opened': CircuitChange;
    /** A few calls are let through to find out. */
    'circuit.half-opened': CircuitChange;
    /** The service answers well again. */
    'circuit.closed': CircuitChange;
  }
}

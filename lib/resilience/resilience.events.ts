import type { CircuitView } from './circuit-view.js';

/** A circuit that is in another state than before. */
export interface CircuitChange {
  readonly circuit: CircuitView;
}

/** A circuit that has opened; both times in ms. */
export interface CircuitOpening extends CircuitChange {
  /** How far back its calls are counted. */
  readonly window: number;
  /** How long it refuses every call; 0 when a person opened it, and only a person closes it. */
  readonly openFor: number;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** Too many calls failed: further ones are refused at once. */
    'circuit.opened': CircuitOpening;
    /** A few calls are let through to find out. */
    'circuit.half-opened': CircuitChange;
    /** The service answers well again, or a person closed it. */
    'circuit.closed': CircuitChange;
    /** A person took it out of service: it lets everything through. */
    'circuit.disabled': CircuitChange;
  }
}

import type { PolicyError } from './resilience.errors.js';
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

/** A call that a policy makes again. */
export interface PolicyRetry {
  readonly policy: string;
  readonly error: unknown;
  /** Which retry it is, from 1 on. */
  readonly attempt: number;
  /** How long it waits before, in ms. */
  readonly wait: number;
}

/** A call that a policy did not wait for, or did not let through. */
export interface PolicyRefusal {
  readonly policy: string;
  readonly error: PolicyError;
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
    /** A call failed and is made again. */
    'policy.retried': PolicyRetry;
    /** A call took too long. */
    'policy.timed-out': PolicyRefusal;
    /** A call was not made: the circuit is open, the bulkhead is full, or calls come too often. */
    'policy.rejected': PolicyRefusal;
    /** A call failed, and something else was returned. */
    'policy.fell-back': { readonly policy: string; readonly cause: unknown };
    /** A policy follows other options than before. */
    'policy.changed': { readonly policy: string };
  }
}

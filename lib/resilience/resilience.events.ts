import type { CircuitView } from './circuit.js';

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    'circuit.opened': { readonly circuit: CircuitView };
    'circuit.half-opened': { readonly circuit: CircuitView };
    'circuit.closed': { readonly circuit: CircuitView };
  }
}

import { Injectable } from '@nestjs/common';
import type { CircuitSwitch } from './circuit-view.js';

/**
 * Every circuit of the application, in one place, and the hand on each of them.
 *
 * @example
 * circuits.get('inventory')?.forceOpen(); // refuses every call until forceClose()
 */
@Injectable()
export class Circuits {
  private readonly known = new Map<string, CircuitSwitch>();

  /** Lists a circuit; one of the same name is replaced. */
  add(circuit: CircuitSwitch): void {
    this.known.set(circuit.name, circuit);
  }

  /** Forgets a circuit; given the circuit itself, only if no other has taken its name. */
  remove(which: string | CircuitSwitch): void {
    const name = typeof which === 'string' ? which : which.name;
    if (typeof which === 'string' || this.known.get(name) === which) this.known.delete(name);
  }

  get(name: string): CircuitSwitch | undefined {
    return this.known.get(name);
  }

  all(): readonly CircuitSwitch[] {
    return [...this.known.values()];
  }
}

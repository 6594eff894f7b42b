import { Injectable } from '@nestjs/common';
import type { CircuitView } from './circuit.js';

/** Every circuit of the application, in one place. */
@Injectable()
export class Circuits {
  private readonly known = new Map<string, CircuitView>();

  /** Lists a circuit; one of the same name is replaced. */
  add(circuit: CircuitView): void {
    this.known.set(circuit.name, circuit);
  }

  remove(name: string): void {
    this.known.delete(name);
  }

  get(name: string): CircuitView | undefined {
    return this.known.get(name);
  }

  all(): readonly CircuitView[] {
    return [...this.known.values()];
  }
}

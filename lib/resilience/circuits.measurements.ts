import { Injectable } from '@nestjs/common';
import { type Measurement, MeasurementSource } from '../common/measurements.js';
import { Circuits } from './circuits.js';

const STATES = ['closed', 'open', 'half-open', 'disabled'] as const;

/** The state of every circuit: 1 for the one it is in. */
@Injectable()
export class CircuitsMeasurements extends MeasurementSource {
  constructor(private readonly circuits: Circuits) {
    super();
  }

  override *measure(): Iterable<Measurement> {
    for (const { name: circuit, state } of this.circuits.all()) {
      for (const each of STATES) {
        const value = each === state ? 1 : 0;
        yield { name: 'circuit.state', value, labels: { circuit, state: each } };
      }
    }
  }
}

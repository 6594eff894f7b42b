import { Injectable } from '@nestjs/common';
import { HealthContributor, type HealthReport } from '../health/health-contributor.js';
import { Circuits } from './circuits.js';

/** A circuit that is not closed makes this service `degraded`: it still answers, though without one of its helpers. */
@Injectable()
export class CircuitsContributor extends HealthContributor {
  override readonly name = 'circuits';
  override readonly critical = false;
  override readonly refreshOn = [
    'circuit.opened',
    'circuit.half-opened',
    'circuit.closed',
    'circuit.disabled',
  ] as const;

  constructor(private readonly circuits: Circuits) {
    super();
  }

  override check(): HealthReport {
    const { circuits } = this;
    const closed = circuits.all().every(({ state }) => state === 'closed' || state === 'disabled');
    return {
      status: closed ? 'up' : 'degraded',
      // Looked up by whoever reads the report: circuits come, and their figures move, between two rounds of checks.
      get details() {
        return describe(circuits);
      },
    };
  }
}

function describe(circuits: Circuits): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    circuits.all().map(({ name, state, forced, calls, failures, slowCalls }) => [
      name,
      {
        state,
        calls,
        failures,
        ...(slowCalls > 0 ? { slowCalls } : {}),
        ...(forced ? { forced } : {}),
      },
    ]),
  );
}

import type { Instrument } from '../metrics/instrument.js';
import { counter, gauge } from '../metrics/metric-definition.js';

const metrics = {
  state: gauge(
    'rookery_circuit_state',
    'circuit.state',
    '1 for the state that a circuit is in: closed, open or half-open.',
    ['circuit', 'state'],
  ),
  openings: counter('rookery_circuit_openings_total', 'Times a circuit opened.', ['circuit']),
};

export const resilienceInstrument: Instrument = {
  metrics,
  begin({ meter, events }) {
    const openings = meter.counters(metrics.openings);
    events.on('circuit.opened', ({ circuit }) => void openings.of(circuit.name).value++);
  },
};

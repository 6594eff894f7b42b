import type { Instrument } from '../metrics/instrument.js';
import { counter, gauge } from '../metrics/metric-definition.js';

const metrics = {
  ready: gauge('rookery_ready', 'health.ready', '1 while this instance may have traffic.'),
  checks: gauge(
    'rookery_health_status',
    'health.check',
    'How a check is: 1 up, 0.5 degraded, 0 down.',
    ['check'],
  ),
  changes: counter('rookery_health_changes_total', 'Times the health of the service changed.', [
    'to',
  ]),
};

export const healthInstrument: Instrument = {
  metrics,
  begin({ meter, events }) {
    const changes = meter.counters(metrics.changes);
    events.on('health.changed', ({ to }) => void changes.of(to).value++);
  },
};

import type { Instrument } from '../metrics/instrument.js';
import { counter } from '../metrics/metric-definition.js';

const metrics = {
  ejections: counter(
    'rookery_endpoint_ejections_total',
    'Times an instance was taken out because its calls failed.',
    ['callee'],
  ),
  readmissions: counter(
    'rookery_endpoint_readmissions_total',
    'Times an instance that had been taken out got calls again like any other.',
    ['callee'],
  ),
};

export const loadBalancingInstrument: Instrument = {
  metrics,
  begin({ meter, events }) {
    const ejections = meter.counters(metrics.ejections);
    const readmissions = meter.counters(metrics.readmissions);
    events.on('endpoint.ejected', ({ endpoint }) => {
      ejections.of(endpoint.instance.service).value++;
    });
    events.on('endpoint.readmitted', ({ endpoint }) => {
      readmissions.of(endpoint.instance.service).value++;
    });
  },
};

import type { Instrument } from '../metrics/instrument.js';
import { gauge } from '../metrics/metric-definition.js';

/** What prom-client's own metrics of Node leave out. */
const metrics = {
  info: gauge('rookery_service_info', 'service.info', '1, with what runs here.', [
    'version',
    'node',
  ]),
  utilisation: gauge(
    'nodejs_eventloop_utilization_ratio',
    'process.utilisation',
    'The share of time since the last scrape in which the event loop was busy.',
  ),
};

export const processInstrument: Instrument = { metrics };

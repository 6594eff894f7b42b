import type { Instrument } from '../metrics/instrument.js';
import { recordTraced } from '../metrics/instrument.js';
import { histogram } from '../metrics/metric-definition.js';
import { knownMethod } from '../requests/http-method.js';

/** Named as OpenTelemetry names it, so that what is made for that fits (semantic conventions, HTTP metrics, stable). */
const metrics = {
  duration: histogram(
    'http_server_request_duration_seconds',
    "How long this service's own handlers took, by route template.",
    ['http_request_method', 'http_route', 'http_response_status_code'],
  ),
};

export const serverInstrument: Instrument = {
  metrics,
  begin({ meter, requests, clock }) {
    const durations = meter.histograms(metrics.duration);
    requests.onEnded(({ request, route, status, duration, scope }) => {
      const method = knownMethod(request.method ?? 'GET');
      recordTraced(durations.of(method, route, String(status)), duration, scope, clock);
    });
  },
};

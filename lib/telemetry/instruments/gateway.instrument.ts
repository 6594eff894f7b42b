import type { ProxiedRequest } from '../../gateway/gateway.events.js';
import type { Instrument } from '../metrics/instrument.js';
import { recordTraced } from '../metrics/instrument.js';
import { counter, gauge, histogram } from '../metrics/metric-definition.js';
import type { CounterSeries, HistogramSeries } from '../metrics/series.js';
import { knownMethod } from '../requests/http-method.js';

const ROUTE = ['route', 'callee'];

const metrics = {
  requests: counter(
    'rookery_gateway_requests_total',
    'Requests that a route matched; status 499 is a client that had gone.',
    [...ROUTE, 'method', 'status'],
  ),
  duration: histogram(
    'rookery_gateway_request_duration_seconds',
    'How long requests took through the gateway, until the answer was complete.',
    ROUTE,
  ),
  firstByte: histogram(
    'rookery_gateway_first_byte_seconds',
    'How long the head of the answer took.',
    ROUTE,
  ),
  attempts: counter(
    'rookery_gateway_attempts_total',
    'Tries that the requests took; more than requests, where calls are tried again.',
    ROUTE,
  ),
  refused: counter(
    'rookery_gateway_refused_total',
    'Requests that were not let in at the door of their route.',
    ['route', 'status'],
  ),
  routes: gauge('rookery_gateway_routes', 'gateway.routes', 'Routes that are served.'),
  conflicts: gauge(
    'rookery_gateway_route_conflicts',
    'gateway.conflicts',
    'Routes that are not served, because their path belongs to another service.',
  ),
  tunnels: gauge('rookery_gateway_tunnels', 'gateway.tunnels', 'WebSockets that are open.'),
};

/** What is written for the requests of one route; found once for each route of a table. */
interface RouteSeries {
  readonly duration: HistogramSeries;
  readonly firstByte: HistogramSeries;
  readonly attempts: CounterSeries;
  /** By method, then by status. */
  readonly requests: Map<string, CounterSeries[]>;
}

export const gatewayInstrument: Instrument = {
  metrics,
  begin({ meter, events, clock }) {
    const requests = meter.counters(metrics.requests);
    const durations = meter.histograms(metrics.duration);
    const firstBytes = meter.histograms(metrics.firstByte);
    const attempts = meter.counters(metrics.attempts);
    const refused = meter.counters(metrics.refused);
    const known = new WeakMap<ProxiedRequest['route'], RouteSeries>();

    const open = (route: ProxiedRequest['route'], upstream: string): RouteSeries => {
      const made = {
        duration: durations.of(route.path, upstream),
        firstByte: firstBytes.of(route.path, upstream),
        attempts: attempts.of(route.path, upstream),
        requests: new Map<string, CounterSeries[]>(),
      };
      known.set(route, made);
      return made;
    };
    const count = (series: RouteSeries, request: ProxiedRequest): CounterSeries => {
      const method = knownMethod(request.method);
      let byStatus = series.requests.get(method);
      if (byStatus === undefined) series.requests.set(method, (byStatus = []));
      const { status, route, upstream } = request;
      return (byStatus[status] ??= requests.of(route.path, upstream, method, String(status)));
    };

    // Neither the reason nor the address: both are as many as the senders like.
    events.on('request.refused', ({ route, status }) => {
      refused.of(route.path, String(status)).value++;
    });
    events.on('request.proxied', (request) => {
      const series = known.get(request.route) ?? open(request.route, request.upstream);
      const { duration, timeToFirstByte, scope } = request;
      count(series, request).value++;
      series.attempts.value += request.attempts;
      recordTraced(series.duration, duration, scope, clock);
      if (timeToFirstByte > 0) series.firstByte.record(timeToFirstByte / 1_000);
    });
  },
};

import type { EndedCall } from '../../upstream/upstream.events.js';
import type { Instrument } from '../metrics/instrument.js';
import { counter, gauge, histogram } from '../metrics/metric-definition.js';
import type { CounterSeries, HistogramSeries } from '../metrics/series.js';

const metrics = {
  calls: counter(
    'rookery_calls_total',
    'Calls to another service that are over, by the version of the instance that was called last.',
    ['callee', 'version', 'outcome', 'status'],
  ),
  duration: histogram(
    'rookery_call_duration_seconds',
    'How long the head of the answer to a call took.',
    ['callee', 'version'],
  ),
  retries: counter('rookery_call_retries_total', 'Calls that were tried again.', ['callee']),
  stages: histogram(
    'rookery_call_stage_seconds',
    'How long calls waited for a connection (queue), or for one to be made (connect); calls that waited for neither are not counted.',
    ['callee', 'stage'],
  ),
  connections: gauge(
    'rookery_pool_connections',
    'pool.connections',
    'Connections to the instances of a service, busy or idle.',
    ['callee', 'state'],
  ),
  queued: gauge(
    'rookery_pool_queued',
    'pool.queued',
    'Calls that wait for a connection to a service.',
    ['callee'],
  ),
  active: gauge('rookery_calls_active', 'calls.active', 'Calls under way to a service.', [
    'callee',
  ]),
  endpoints: gauge(
    'rookery_endpoints',
    'endpoints',
    'Instances of a service as this caller sees them: healthy, ejected or on probation.',
    ['callee', 'state'],
  ),
  certificate: gauge(
    'rookery_certificate_expiry_timestamp_seconds',
    'certificate.expiry',
    'When a certificate in use ends, in seconds since 1970.',
    ['use', 'of'],
  ),
};

/** What is written for the calls to one version of a service. */
interface EdgeSeries {
  readonly duration: HistogramSeries;
  /** By outcome, then by status. */
  readonly calls: Map<string, CounterSeries[]>;
}

export const upstreamInstrument: Instrument = {
  metrics,
  begin({ meter, events }) {
    const calls = meter.counters(metrics.calls);
    const durations = meter.histograms(metrics.duration);
    const retries = meter.counters(metrics.retries);
    const stages = meter.histograms(metrics.stages);
    // Endpoints live as long as their instance is registered.
    const byEndpoint = new WeakMap<object, EdgeSeries>();
    const without = new Map<string, EdgeSeries>();

    const open = (callee: string, version: string): EdgeSeries => ({
      duration: durations.of(callee, version),
      calls: new Map<string, CounterSeries[]>(),
    });
    const edgeOf = ({ service, endpoint }: EndedCall): EdgeSeries => {
      const known = endpoint ? byEndpoint.get(endpoint) : without.get(service);
      if (known !== undefined) return known;
      const made = open(service, endpoint?.instance.version ?? '');
      if (endpoint) byEndpoint.set(endpoint, made);
      else without.set(service, made);
      return made;
    };
    const count = (edge: EdgeSeries, { service, endpoint, outcome, status }: EndedCall) => {
      let byStatus = edge.calls.get(outcome);
      if (byStatus === undefined) edge.calls.set(outcome, (byStatus = []));
      const version = endpoint?.instance.version ?? '';
      return (byStatus[status] ??= calls.of(service, version, outcome, String(status)));
    };

    events.on('call.ended', (call) => {
      const edge = edgeOf(call);
      count(edge, call).value++;
      if (call.status > 0) edge.duration.record(call.latency / 1_000);
    });
    events.on('call.retried', ({ service }) => void retries.of(service).value++);
    events.on('call.waited', ({ service, stage, duration }) => {
      stages.of(service, stage).record(duration / 1_000);
    });
  },
};

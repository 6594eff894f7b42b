// The recording and alert rules for Prometheus.
// Burn rates and their windows: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
const WINDOWS = ['5m', '30m', '1h', '6h'];

/** Share of requests that may fail, and that may take longer than a second. */
const BUDGETS = { errors: 0.001, slow: 0.01 };

/** Shares of requests, by what they are recorded as. */
const SHARES = {
  'service:errors:ratio_rate': (window) =>
    share(
      `http_server_request_duration_seconds_count{http_response_status_code=~"5.."}`,
      'http_server_request_duration_seconds_count',
      window,
    ),
  'service:slow:ratio_rate': (window) => slow('http_server_request_duration_seconds', window),
  'gateway:errors:ratio_rate': (window) =>
    share(
      'rookery_gateway_requests_total{status=~"5.."}',
      'rookery_gateway_requests_total',
      window,
    ),
  'gateway:slow:ratio_rate': (window) => slow('rookery_gateway_request_duration_seconds', window),
};

function share(part, whole, window) {
  return `sum by (service) (rate(${part}[${window}])) / sum by (service) (rate(${whole}[${window}]))`;
}

/** Of each service the instances that may have calls, as the caller sees it who sees the most. */
const KNOWN = 'service:known_instances';
const COUNTED =
  'max by (service) (label_replace(sum by (instance, target) (rookery_instances{status=~"up|degraded"}), "service", "$1", "target", "(.+)"))';

/** Prometheus 3 writes the bound as 1.0. */
function slow(histogram, window) {
  return `1 - ${share(`${histogram}_bucket{le=~"1|1.0"}`, `${histogram}_count`, window)}`;
}

function burning(kind, [factor, long, short]) {
  const over = (window) =>
    ['service', 'gateway'].map(
      (side) => `${side}:${kind}:ratio_rate${window} > ${factor} * ${BUDGETS[kind]}`,
    );
  const [ownLong, gatewayLong] = over(long);
  const [ownShort, gatewayShort] = over(short);
  return `(${ownLong} and ${ownShort}) or (${gatewayLong} and ${gatewayShort})`;
}

const FAST = [14.4, '1h', '5m'];
const SLOW = [6, '6h', '30m'];

const ALERTS = [
  alert('RookeryErrorsFast', burning('errors', FAST), 'page', '2m', {
    summary: '{{ $labels.service }} fails so often that 2 % of a month is lost in an hour.',
  }),
  alert('RookeryErrorsSlow', burning('errors', SLOW), 'ticket', '15m', {
    summary: '{{ $labels.service }} fails so often that 5 % of a month is lost in six hours.',
  }),
  alert('RookeryLatencyFast', burning('slow', FAST), 'page', '2m', {
    summary: '{{ $labels.service }} takes more than a second far too often.',
  }),
  alert('RookeryLatencySlow', burning('slow', SLOW), 'ticket', '15m', {
    summary: '{{ $labels.service }} takes more than a second too often, for hours.',
  }),
  // What is gone says nothing of itself any more: whoever calls it knows.
  alert(
    'RookeryNoReadyInstance',
    `max by (service) (rookery_ready) == 0 or ${KNOWN} == 0`,
    'page',
    '1m',
    { summary: 'No instance of {{ $labels.service }} is ready.' },
  ),
  // A circuit that tries every few seconds is half-open now and then; it counts as open meanwhile. Where the service
  // itself is gone, one alert is enough, and its circuits close a little later than it is back.
  alert(
    'RookeryCircuitOpen',
    `max by (service, circuit) (max_over_time(rookery_circuit_state{state="open"}[2m])) == 1 unless on (circuit) label_replace(min_over_time(${KNOWN}[4m]) == 0, "circuit", "$1", "service", "(.+)")`,
    'page',
    '1m',
    { summary: '{{ $labels.service }} has opened its circuit {{ $labels.circuit }}.' },
  ),
  alert(
    'RookeryLeaseLost',
    'max by (service, instance) (increase(rookery_leases_lost_total[10m])) > 0 or max by (service, instance) (1 - rookery_registered) == 1',
    'ticket',
    '1m',
    { summary: '{{ $labels.instance }} of {{ $labels.service }} fell out of the registry.' },
  ),
  alert(
    'RookeryConfigRejected',
    'max by (service) (rookery_config_rejected) == 1',
    'ticket',
    '1m',
    {
      summary: '{{ $labels.service }} refuses its newest configuration and keeps the one before.',
    },
  ),
  alert(
    'RookeryEventLoopBlocked',
    'max by (service, instance) (nodejs_eventloop_lag_p99_seconds) > 0.5 or max by (service, instance) (nodejs_eventloop_utilization_ratio) > 0.95',
    'page',
    '5m',
    { summary: 'The event loop of {{ $labels.instance }} ({{ $labels.service }}) is blocked.' },
  ),
  alert(
    'RookeryCertificateEnds',
    'min by (service, use, of) (rookery_certificate_expiry_timestamp_seconds) - time() < 14 * 86400',
    'ticket',
    '1m',
    {
      summary:
        'A certificate of {{ $labels.service }} ({{ $labels.use }}, {{ $labels.of }}) ends within 14 days.',
    },
  ),
];

function alert(name, expr, severity, duration, annotations) {
  return { alert: name, expr, for: duration, labels: { severity }, annotations };
}

/** What Prometheus's `rule_files` reads. */
export function rules() {
  const recorded = Object.entries(SHARES).flatMap(([name, of]) =>
    WINDOWS.map((window) => ({ record: `${name}${window}`, expr: of(window) })),
  );
  recorded.push({ record: KNOWN, expr: COUNTED });
  return {
    groups: [
      { name: 'rookery-recording', rules: recorded },
      { name: 'rookery-alerts', rules: ALERTS },
    ],
  };
}

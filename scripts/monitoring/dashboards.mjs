// The dashboards for Grafana. A metric gets its panel by its type; what a dashboard shows is said by its rooms.
const HERE = 'service=~"$service"';

/** Which instruments a dashboard shows. */
const ROOMS = {
  service: ['server', 'upstream', 'loadBalancing', 'resilience'],
  gateway: ['gateway'],
  system: ['process', 'health', 'discovery', 'config'],
};

/** Figures of Node that prom-client brings. */
const NODE = [
  [
    'Event loop lag (p99)',
    `max by (service, instance) (nodejs_eventloop_lag_p99_seconds{${HERE}})`,
    's',
  ],
  [
    'Resident memory',
    `max by (service, instance) (process_resident_memory_bytes{${HERE}})`,
    'bytes',
  ],
  ['Heap used', `max by (service, instance) (nodejs_heap_size_used_bytes{${HERE}})`, 'bytes'],
  [
    'CPU',
    `sum by (service, instance) (rate(process_cpu_seconds_total{${HERE}}[$__rate_interval]))`,
    'percentunit',
  ],
];

function panelsOf({ type, name, help, labels }) {
  const by = ['service', ...labels].join(', ');
  if (type === 'counter')
    return [[help, `sum by (${by}) (rate(${name}{${HERE}}[$__rate_interval]))`, 'ops']];
  if (type === 'gauge') return [[help, `max by (${by}) (${name}{${HERE}})`, unitOf(name)]];
  const rate = `rate(${name}_bucket{${HERE}}[$__rate_interval])`;
  return [
    [`p99. ${help}`, `histogram_quantile(0.99, sum by (le, ${by}) (${rate}))`, 's'],
    [`Rate. ${help}`, `sum by (${by}) (rate(${name}_count{${HERE}}[$__rate_interval]))`, 'ops'],
  ];
}

function unitOf(name) {
  if (name.endsWith('_timestamp_seconds')) return 'dateTimeAsIso';
  if (name.endsWith('_seconds')) return 's';
  return name.endsWith('_ratio') ? 'percentunit' : 'short';
}

function panel([title, expr, unit], at) {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  // Grafana shows a date as it is in ms.
  const shown = unit === 'dateTimeAsIso' ? `${expr} * 1000` : expr;
  return {
    id: at + 1,
    type: 'timeseries',
    title,
    datasource,
    gridPos: { x: (at % 2) * 12, y: Math.floor(at / 2) * 8, w: 12, h: 8 },
    fieldConfig: { defaults: { unit }, overrides: [] },
    targets: [{ refId: 'A', datasource, expr: shown, legendFormat: '__auto' }],
  };
}

/** Every dashboard by its name. */
export function dashboards(instruments) {
  const made = Object.entries(ROOMS).map(([name, rooms]) => {
    const metrics = rooms.flatMap((room) => Object.values(instruments[room].metrics));
    const lines = [...metrics.flatMap(panelsOf), ...(name === 'system' ? NODE : [])];
    return [name, { ...frame(name), panels: lines.map(panel) }];
  });
  return Object.fromEntries(made);
}

function frame(name) {
  return {
    uid: `rookery-${name}`,
    title: `Rookery: ${name}`,
    tags: ['rookery'],
    schemaVersion: 39,
    version: 1,
    refresh: '10s',
    annotations: { list: [] },
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        {
          name: 'service',
          type: 'query',
          datasource: { type: 'prometheus', uid: '${datasource}' },
          query: 'label_values(rookery_service_info, service)',
          multi: true,
          includeAll: true,
          allValue: '.*',
        },
      ],
    },
  };
}

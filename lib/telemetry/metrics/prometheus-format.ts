import { optionalPackage } from '../../common/optional-package.js';
import type { Meter, Family } from './meter.js';
import type { CounterSeries, HistogramSeries } from './series.js';
import type { SeriesTable } from './series-table.js';

/** What is used of prom-client; named here, so that nobody needs it to compile against this package. */
interface PromClient {
  readonly Registry: (new (contentType?: string) => PromRegistry) & {
    readonly OPENMETRICS_CONTENT_TYPE: string;
  };
  readonly register: Pick<PromRegistry, 'getMetricsAsArray'>;
  collectDefaultMetrics(options: { readonly register: PromRegistry }): void;
}

interface PromRegistry {
  readonly contentType: string;
  registerMetric(metric: PromMetric): void;
  removeSingleMetric(name: string): void;
  getMetricsAsArray(): PromMetric[];
  setDefaultLabels(labels: Readonly<Record<string, string>>): void;
  metrics(): Promise<string>;
}

/** A metric as prom-client's registry asks for it. */
interface PromMetric {
  /** The registry writes it: OpenMetrics names counters without their `_total`. */
  name: string;
  readonly type: unknown;
  get(): Promise<object>;
  getForPromString?(): Promise<object>;
}

interface PromValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: object;
}

/**
 * Gauges of prom-client that are named as if they were counters, which Prometheus's own check finds fault with; each is the
 * sum of one without `_total`, which stays.
 */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** A page of metrics, ready to be sent. */
export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/**
 * Shows the metrics as Prometheus reads them, by prom-client: ours, those of Node, and whatever the application keeps in
 * prom-client's own registry.
 */
export class PrometheusFormat {
  private readonly node: PromRegistry;

  /** Loads prom-client; throws `InvalidOptionsError` when it is not installed. */
  static async open(meter: Meter): Promise<PrometheusFormat> {
    // Declared, because the package's own types cannot know metrics that are made elsewhere.
    const loaded: { readonly default?: unknown } = await optionalPackage(
      () => import('prom-client'),
      {
        name: 'prom-client',
        use: 'Metrics are shown by prom-client',
        remedy: 'leave `metrics` out',
      },
    );
    return new PrometheusFormat((loaded.default ?? loaded) as PromClient, meter);
  }

  private constructor(
    private readonly client: PromClient,
    private readonly meter: Meter,
  ) {
    this.node = new client.Registry();
    client.collectDefaultMetrics({ register: this.node });
    for (const name of MISNAMED) this.node.removeSingleMetric(name);
  }

  /** The page of now, every series with these labels; in OpenMetrics, which carries exemplars, where the reader knows it. */
  async page(
    labels: Readonly<Record<string, string>>,
    { openMetrics = false }: { readonly openMetrics?: boolean },
  ): Promise<MetricsPage> {
    const { Registry, register } = this.client;
    const page = openMetrics ? new Registry(Registry.OPENMETRICS_CONTENT_TYPE) : new Registry();
    page.setDefaultLabels(labels);
    const taken = new Set<string>();
    const add = (metric: PromMetric) => {
      if (taken.has(metric.name)) return;
      taken.add(metric.name);
      page.registerMetric(metric);
    };
    for (const family of this.meter.families) add(this.shown(family));
    for (const registry of [this.node, register]) {
      for (const metric of registry.getMetricsAsArray()) add(copyOf(metric));
    }
    const body = await page.metrics();
    for (const family of this.meter.families) refresh(family);
    return { contentType: page.contentType, body };
  }

  private shown(family: Family): PromMetric {
    const { name, help, type } = family.definition;
    const values = this.valuesOf(family);
    return {
      name,
      type,
      get() {
        return Promise.resolve({ name: this.name, help, type, values });
      },
    };
  }

  private valuesOf(family: Family): readonly PromValue[] {
    if ('counters' in family) return counted(family.counters);
    if ('histograms' in family) return bucketed(family.definition.name, family.histograms);
    return this.meter.readings(family.gauge).map(({ labels = {}, value }) => ({ labels, value }));
  }
}

function counted(counters: SeriesTable<CounterSeries>): readonly PromValue[] {
  return [...counters.entries()].map(([labels, { value }]) => ({ labels, value }));
}

function bucketed(name: string, histograms: SeriesTable<HistogramSeries>): readonly PromValue[] {
  const values: PromValue[] = [];
  for (const [labels, { bounds, counts, sum, exemplars }] of histograms.entries()) {
    let total = 0;
    counts.forEach((count, bucket) => {
      total += count;
      const kept = exemplars[bucket];
      values.push({
        metricName: `${name}_bucket`,
        labels: { ...labels, le: bounds[bucket] ?? '+Inf' },
        value: total,
        ...(kept && {
          exemplar: {
            labelSet: { trace_id: kept.traceId },
            value: kept.value,
            timestamp: kept.at,
          },
        }),
      });
    });
    values.push({ metricName: `${name}_sum`, labels, value: sum });
    values.push({ metricName: `${name}_count`, labels, value: total });
  }
  return values;
}

/** One of prom-client's metrics under a name of its own, because the registry of a page may change that. */
function copyOf(metric: PromMetric): PromMetric {
  const { name, type } = metric;
  return {
    name,
    type,
    async get() {
      const shown = metric.getForPromString ? await metric.getForPromString() : await metric.get();
      return { ...shown, name: this.name };
    },
  };
}

function refresh(family: Family): void {
  if (!('histograms' in family)) return;
  for (const [, series] of family.histograms.entries()) series.refresh();
}

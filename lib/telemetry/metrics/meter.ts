import type { Measurement } from '../../common/measurements.js';
import type { MetricDefinition } from './metric-definition.js';
import { CounterSeries, HistogramSeries } from './series.js';
import { SeriesTable } from './series-table.js';

/** Everything a scrape shows of one metric. */
export type Family =
  | { readonly definition: MetricDefinition; readonly counters: SeriesTable<CounterSeries> }
  | { readonly definition: MetricDefinition; readonly histograms: SeriesTable<HistogramSeries> }
  | { readonly definition: MetricDefinition; readonly gauge: string };

/**
 * Makes the metrics' series and knows all of them.
 *
 * A series is a plain object that its instrument writes to: a library's call for each request, which looks its labels up,
 * costs 25 times as much.
 */
export class Meter {
  readonly families: Family[] = [];
  private figures: ReadonlyMap<string, readonly Measurement[]> = new Map();

  constructor(private readonly limit: number) {}

  counters(definition: MetricDefinition): SeriesTable<CounterSeries> {
    const counters = new SeriesTable(definition, this.limit, () => new CounterSeries());
    this.families.push({ definition, counters });
    return counters;
  }

  histograms(definition: MetricDefinition): SeriesTable<HistogramSeries> {
    const bounds = definition.buckets ?? [];
    const histograms = new SeriesTable(definition, this.limit, () => new HistogramSeries(bounds));
    this.families.push({ definition, histograms });
    return histograms;
  }

  /** A gauge needs no series: it is read when it is scraped. */
  gauge(definition: MetricDefinition): void {
    if (definition.of !== undefined) this.families.push({ definition, gauge: definition.of });
  }

  /** How many series are kept. */
  get size(): number {
    let size = 0;
    for (const family of this.families) {
      if ('counters' in family) size += family.counters.size;
      if ('histograms' in family) size += family.histograms.size;
    }
    return size;
  }

  /** Takes the figures of this scrape. */
  measure(measurements: Iterable<Measurement>): void {
    const figures = new Map<string, Measurement[]>();
    for (const measurement of measurements) {
      const others = figures.get(measurement.name);
      if (others) others.push(measurement);
      else figures.set(measurement.name, [measurement]);
    }
    this.figures = figures;
  }

  /** The figures of one measurement, as of this scrape; no more than a metric may have. */
  readings(name: string): readonly Measurement[] {
    return (this.figures.get(name) ?? []).slice(0, this.limit);
  }
}

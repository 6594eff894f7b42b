/** How a metric behaves: it only grows, goes up and down, or counts in buckets. */
type MetricType = 'counter' | 'gauge' | 'histogram';

/** A metric as Prometheus knows it; the documents, alerts and dashboards are made from these. */
export interface MetricDefinition {
  readonly type: MetricType;
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** The name of the measurement that a gauge shows. */
  readonly of?: string;
  /** The upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[];
}

/** What OpenTelemetry advises for the duration of HTTP requests, in seconds (semantic conventions, HTTP metrics). */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** A sum that only grows. */
export function counter(name: string, help: string, labels: readonly string[] = []) {
  return { type: 'counter', name, help, labels } as const satisfies MetricDefinition;
}

/** A figure of the moment of the scrape, read from the measurement of a name. */
export function gauge(name: string, of: string, help: string, labels: readonly string[] = []) {
  return { type: 'gauge', name, of, help, labels } as const satisfies MetricDefinition;
}

/** Durations, counted in buckets. */
export function histogram(
  name: string,
  help: string,
  labels: readonly string[] = [],
  buckets: readonly number[] = SECONDS,
) {
  return { type: 'histogram', name, help, labels, buckets } as const satisfies MetricDefinition;
}

import { performance } from 'node:perf_hooks';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { messageOf } from '../../common/errors.js';
import { type Measurement, MeasurementSource } from '../../common/measurements.js';
import type { MetadataExplorer } from '../../common/metadata-explorer.js';
import type { ServiceIdentity } from '../../common/service-identity.js';
import { instruments } from '../instruments/built-in.js';
import type { Instrument, InstrumentParts } from './instrument.js';
import { Meter } from './meter.js';
import { type MetricsPage, PrometheusFormat } from './prometheus-format.js';

/** What the metrics need of the application. */
export interface MetricsParts extends Omit<InstrumentParts, 'meter'> {
  readonly identity: ServiceIdentity;
  readonly explorer: MetadataExplorer;
  /** The most series of one metric. */
  readonly limit: number;
}

/**
 * What can be counted of this service, for Prometheus and those who read its formats.
 *
 * @example
 * constructor(private readonly metrics: Metrics) {}
 * async print() { console.log((await this.metrics.page()).body); }
 */
export class Metrics implements OnApplicationBootstrap {
  private readonly logger = new Logger('Metrics');
  private readonly meter: Meter;
  private sources: readonly MeasurementSource[] = [];
  private format: PrometheusFormat | undefined;
  private labels: Readonly<Record<string, string>> = {};
  private busy = performance.eventLoopUtilization();

  constructor(private readonly parts: MetricsParts) {
    this.meter = new Meter(parts.limit);
    for (const { metrics, begin } of Object.values(instruments) as readonly Instrument[]) {
      for (const definition of Object.values(metrics)) {
        if (definition.type === 'gauge') this.meter.gauge(definition);
      }
      begin?.({ ...parts, meter: this.meter });
    }
  }

  /** Loads what shows them; throws `InvalidOptionsError` when prom-client is not installed. */
  async open(): Promise<this> {
    this.format = await PrometheusFormat.open(this.meter);
    return this;
  }

  onApplicationBootstrap(): void {
    // Not before: which module says the name is up to the order in which Nest makes them. Without any, the start ends here.
    this.labels = { service: this.parts.identity.name };
    this.sources = this.parts.explorer.providersOf(MeasurementSource);
  }

  /** The page of now: Prometheus's text, or OpenMetrics, which carries the trace ids of single requests. */
  async page(options: { readonly openMetrics?: boolean } = {}): Promise<MetricsPage> {
    if (!this.format) await this.open();
    this.meter.measure(this.measure());
    return (this.format as PrometheusFormat).page(this.labels, options);
  }

  /** How many series there are of what is counted; for tests, and for those who wonder. */
  get size(): number {
    return this.meter.size;
  }

  private *measure(): Iterable<Measurement> {
    const { version = '' } = this.parts.identity;
    yield { name: 'service.info', value: 1, labels: { version, node: process.version } };
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.busy);
    this.busy = now;
    yield { name: 'process.utilisation', value: utilization };
    for (const source of this.sources) {
      try {
        yield* source.measure();
      } catch (error) {
        // One room that fails must not hide the others.
        this.logger.warn(`${source.constructor.name} could not measure: ${messageOf(error)}`);
      }
    }
  }
}

import type { Clock } from '../../common/clock.js';
import type { EventHub } from '../../common/event-hub.js';
import type { RequestScope } from '../../common/request-context.js';
import type { OwnRequests } from '../requests/own-requests.js';
import type { Meter } from './meter.js';
import type { MetricDefinition } from './metric-definition.js';
import type { HistogramSeries } from './series.js';

/** What an instrument listens to, and where it writes. */
export interface InstrumentParts {
  readonly meter: Meter;
  readonly events: EventHub;
  readonly requests: OwnRequests;
  readonly clock: Clock;
}

/** What is measured of one room: its metrics, and how they come about from what the room announces. */
export interface Instrument {
  readonly metrics: Readonly<Record<string, MetricDefinition>>;
  /** Begins to count. Gauges need nothing: they are read from the rooms' measurements. */
  readonly begin?: (parts: InstrumentParts) => void;
}

/** Counts a duration in ms, and keeps the trace of it if it is one that somebody can look up. */
export function recordTraced(
  series: HistogramSeries,
  ms: number,
  scope: RequestScope,
  clock: Clock,
): void {
  const seconds = ms / 1_000;
  const bucket = series.record(seconds);
  if (!series.wantsExemplar(bucket) || scope.trace.flags !== '01') return;
  const at = clock.wallTime() / 1_000;
  series.keepExemplar(bucket, { traceId: scope.trace.traceId, value: seconds, at });
}

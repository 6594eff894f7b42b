export { Metrics } from './metrics/metrics.js';
export type { MetricsPage } from './metrics/prometheus-format.js';
export { RookeryLogger } from './rookery-logger.js';
export { TelemetryModule } from './telemetry.module.js';
export type {
  LogDestination,
  LogLevel,
  MetricsOptions,
  TelemetryOptions,
} from './telemetry.options.js';

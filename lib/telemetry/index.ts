export { RookeryLogger } from './rookery-logger.js';
export { TelemetryModule } from './telemetry.module.js';
export type { LogDestination, LogLevel, TelemetryOptions } from './telemetry.options.js';

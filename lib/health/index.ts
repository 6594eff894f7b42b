export { Availability, type AvailabilityState } from './availability.js';
export { diskHealth, type DiskLimits } from './contributors/disk.contributor.js';
export { httpHealth } from './contributors/http.contributor.js';
export { memoryHealth, type MemoryLimits } from './contributors/memory.contributor.js';
export {
  type ConnectingClient,
  pingHealth,
  transportHealth,
} from './contributors/ping.contributor.js';
export {
  terminusIndicator,
  type TerminusIndicatorOptions,
  type TerminusResult,
} from './contributors/terminus.contributor.js';
export {
  type ContributorHealth,
  HealthAggregator,
  type HealthSummary,
} from './health-aggregator.js';
export {
  type AnswerStatus,
  type CheckAnswer,
  type HealthAnswer,
  HealthAnswers,
} from './health-answers.js';
export {
  HealthContributor,
  type HealthContributorOptions,
  type HealthGroup,
  type HealthReport,
  type HealthScope,
  type HealthStatus,
} from './health-contributor.js';
export { HealthCoreModule } from './health-core.module.js';
export type { AvailabilityChange, HealthChange } from './health.events.js';
export { HealthModule } from './health.module.js';
export type { EventLoopLimits, HealthDetails, HealthOptions } from './health.options.js';
export { ServiceHealth } from './service-health.js';

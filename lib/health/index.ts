export { Availability, type AvailabilityState } from './availability.js';
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
  type HealthGroup,
  type HealthReport,
  type HealthStatus,
} from './health-contributor.js';
export { HealthCoreModule } from './health-core.module.js';
export type { AvailabilityChange, HealthChange } from './health.events.js';
export { HealthModule } from './health.module.js';
export type { EventLoopLimits, HealthDetails, HealthOptions } from './health.options.js';
export { ServiceHealth } from './service-health.js';

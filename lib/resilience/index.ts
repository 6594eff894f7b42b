export { Circuit } from './circuit.js';
export { circuitSettings, type CircuitSettings } from './circuit.options.js';
export type { CircuitOptions, CircuitState, CircuitSwitch, CircuitView } from './circuit-view.js';
export { Circuits } from './circuits.js';
export { CircuitsContributor } from './circuits.contributor.js';
export { CircuitsModule } from './circuits.module.js';
export type { OpossumBreaker } from './policies/circuit-breaker.policy.js';
export type { PolicyContext } from './policies/policy.js';
export type {
  BulkheadOptions,
  CacheOptions,
  CircuitPolicyOptions,
  PolicyOptions,
  RateLimitOptions,
  RetryPolicyOptions,
  TimeoutPolicyOptions,
} from './policy.options.js';
export {
  BulkheadFullError,
  PolicyCircuitOpenError,
  PolicyError,
  PolicyTimeoutError,
  RateLimitedError,
} from './resilience.errors.js';
export type {
  CircuitChange,
  CircuitOpening,
  PolicyRefusal,
  PolicyRetry,
} from './resilience.events.js';
export { ResilienceModule } from './resilience.module.js';
export type { ResilienceOptions } from './resilience.options.js';
export { type ExecuteOptions, Resilience } from './resilience.js';
export { CallSignal, Resilient, type ResilientOptions } from './resilient.decorator.js';

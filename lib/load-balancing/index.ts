export { Endpoint, type EndpointState } from './endpoint.js';
export type { Exclusion, ExplainedEndpoint, PickExplanation } from './explanation.js';
export { type CallOutcome, LoadBalancer, type LoadBalancerOptions } from './load-balancer.js';
export { LoadBalancers, type OwnedBalancer, type ServiceBalancing } from './load-balancers.js';
export type {
  EjectionReason,
  EndpointEjection,
  EndpointReadmission,
} from './load-balancing.events.js';
export { LoadBalancingModule } from './load-balancing.module.js';
export { type CallKey, LoadBalancingStrategy } from './load-balancing-strategy.js';
export type { OutlierSettings } from './outlier-detector.js';
export type { OutlierOptions } from './outlier.options.js';
export {
  consistentHash,
  stickyBy,
  type StrategyFactory,
  type StrategyName,
} from './strategies/built-in.js';
export {
  type ConsistentHashOptions,
  ConsistentHashStrategy,
} from './strategies/consistent-hash.strategy.js';
export { LeastRequestStrategy } from './strategies/least-request.strategy.js';
export { PeakEwmaStrategy } from './strategies/peak-ewma.strategy.js';
export { RandomStrategy } from './strategies/random.strategy.js';
export { RoundRobinStrategy } from './strategies/round-robin.strategy.js';
export { StickyStrategy } from './strategies/sticky.strategy.js';
export type { SubsetOptions } from './subset.js';

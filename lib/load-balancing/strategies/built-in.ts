import type { LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { LeastRequestStrategy } from './least-request.strategy.js';
import { RandomStrategy } from './random.strategy.js';
import { RoundRobinStrategy } from './round-robin.strategy.js';

/** Makes a strategy; each service has its own. */
export type StrategyFactory = () => LoadBalancingStrategy;

/** The strategies that have a name in options. */
export const STRATEGIES = {
  'least-request': () => new LeastRequestStrategy(),
  'round-robin': () => new RoundRobinStrategy(),
  random: () => new RandomStrategy(),
} as const satisfies Record<string, StrategyFactory>;

/** The name of a strategy. */
export type StrategyName = keyof typeof STRATEGIES;

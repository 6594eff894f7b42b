import type { CallKey, LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { type ConsistentHashOptions, ConsistentHashStrategy } from './consistent-hash.strategy.js';
import { LeastRequestStrategy } from './least-request.strategy.js';
import { PeakEwmaStrategy } from './peak-ewma.strategy.js';
import { RandomStrategy } from './random.strategy.js';
import { RoundRobinStrategy } from './round-robin.strategy.js';
import { StickyStrategy } from './sticky.strategy.js';

/** Makes a strategy; each service has its own. */
export type StrategyFactory = () => LoadBalancingStrategy;

/** The strategies that have a name in options; all of them heed weights. */
export const STRATEGIES = {
  'peak-ewma': () => new PeakEwmaStrategy(),
  'least-request': () => new LeastRequestStrategy(),
  'round-robin': () => new RoundRobinStrategy(),
  random: () => new RandomStrategy(),
  sticky: () => new StickyStrategy(),
} as const satisfies Record<string, StrategyFactory>;

/** The name of a strategy. */
export type StrategyName = keyof typeof STRATEGIES;

/**
 * The same header, cookie or path always goes to the same instance.
 *
 * @example
 * UpstreamModule.forRoot({ services: { carts: { strategy: consistentHash({ header: 'x-user-id' }) } } })
 */
export function consistentHash(key: CallKey, options?: ConsistentHashOptions): StrategyFactory {
  return () => new ConsistentHashStrategy(key, options);
}

/**
 * A client keeps its instance by a cookie that it is given.
 *
 * @example
 * UpstreamModule.forRoot({ services: { carts: { strategy: stickyBy({ cookie: 'cart-at' }) } } })
 */
export function stickyBy(
  key: { readonly cookie: string } | { readonly header: string },
): StrategyFactory {
  return 'cookie' in key ? () => new StickyStrategy(key.cookie) : consistentHash(key);
}

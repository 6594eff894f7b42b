import type { Endpoint } from '../endpoint.js';
import { LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { Weights } from './weights.js';

/** Any of them, each as likely as its weight says. */
export class RandomStrategy extends LoadBalancingStrategy {
  private readonly weights = new Weights();

  constructor(private readonly random: () => number = Math.random) {
    super();
  }

  override pick<E extends Endpoint>(candidates: readonly E[]): E {
    const share = this.random();
    const weights = this.weights.of(candidates);
    if (weights.equal) return candidates[(share * candidates.length) | 0] as E;
    return weights.at(candidates, share);
  }
}

import type { Endpoint } from '../endpoint.js';
import { LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { Weights } from './weights.js';

/**
 * Of two endpoints, the next in turn and another one at random, that with fewer calls under way (the power of two choices).
 *
 * Of equals the one in turn is chosen, so that calls that come one after the other go round.
 * With different weights both are drawn as likely as their weight, and the fewer calls for its weight wins: without load
 * the shares follow the weights, under load the calls under way do.
 */
export class LeastRequestStrategy extends LoadBalancingStrategy {
  private readonly weights = new Weights();
  private turn = 0;

  constructor(private readonly random: () => number = Math.random) {
    super();
  }

  override pick<E extends Endpoint>(candidates: readonly E[]): E {
    if (!this.weights.of(candidates).equal) return this.weighted(candidates);
    const count = candidates.length;
    // The list may have become shorter since the last pick.
    const i = this.turn < count ? this.turn : 0;
    this.turn = i + 1;
    let j = (this.random() * (count - 1)) | 0;
    if (j >= i) j++;
    const one = candidates[i] as E;
    const other = candidates[j] as E;
    return one.active <= other.active ? one : other;
  }

  override score(endpoint: Endpoint): number {
    return endpoint.active / (endpoint.weight || 1);
  }

  private weighted<E extends Endpoint>(candidates: readonly E[]): E {
    const weights = this.weights.of(candidates);
    const one = weights.at(candidates, this.random());
    const other = weights.at(candidates, this.random());
    return one.active * other.weight <= other.active * one.weight ? one : other;
  }
}

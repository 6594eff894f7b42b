import type { Endpoint } from '../endpoint.js';
import { LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { Weights } from './weights.js';

/** Below so many ms a difference in latency is noise, and calls under way decide. */
const NOISE = 5;

/**
 * Of two endpoints, the next in turn and another one at random, that which will probably answer sooner: the calls under way
 * there and this one, times how long its calls took of late.
 *
 * An instance that became slow loses its traffic after a few answers, although its health check is green; what is known
 * of it fades with time, so that it is asked again. After Finagle's Peak EWMA, where a slow answer weighs more than a fast one.
 */
export class PeakEwmaStrategy extends LoadBalancingStrategy {
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
    return cost(one) <= cost(other) ? one : other;
  }

  override score(endpoint: Endpoint): number {
    return cost(endpoint) / (endpoint.weight || 1);
  }

  private weighted<E extends Endpoint>(candidates: readonly E[]): E {
    const weights = this.weights.of(candidates);
    const one = weights.at(candidates, this.random());
    const other = weights.at(candidates, this.random());
    return cost(one) * other.weight <= cost(other) * one.weight ? one : other;
  }
}

function cost(endpoint: Endpoint): number {
  return (endpoint.active + 1) * (endpoint.latency + NOISE);
}

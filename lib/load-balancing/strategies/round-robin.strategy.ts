import type { Endpoint } from '../endpoint.js';
import { LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { Weights } from './weights.js';

/** The fractional part of the golden ratio: its multiples fill the circle more evenly than those of any other number. */
const GOLDEN = 0.618_033_988_749_894_9;

/**
 * One after the other.
 *
 * With different weights each step goes the golden ratio further around a circle on which every endpoint has its
 * weight's share; so the shares hold over any stretch of calls, and no endpoint comes in bursts.
 */
export class RoundRobinStrategy extends LoadBalancingStrategy {
  private readonly weights = new Weights();
  private turn = 0;
  private angle = 0;

  override pick<E extends Endpoint>(candidates: readonly E[]): E {
    const weights = this.weights.of(candidates);
    if (weights.equal) {
      this.turn = this.turn + 1 < candidates.length ? this.turn + 1 : 0;
      return candidates[this.turn] as E;
    }
    this.angle += GOLDEN;
    if (this.angle >= 1) this.angle -= 1;
    return weights.at(candidates, this.angle);
  }
}

import type { Endpoint } from '../endpoint.js';

/** The weights of a list of endpoints, added up once for each list; lists are replaced whole, so identity tells. */
export class Weights {
  /** Whether all weigh the same, so that nobody needs to look at weights. */
  equal = true;
  private total = 0;
  private seen: readonly Endpoint[] = [];

  /** Adds up a list that was not seen in the last call. */
  of(candidates: readonly Endpoint[]): this {
    if (candidates === this.seen) return this;
    this.seen = candidates;
    const first = candidates[0]?.instance.weight;
    this.equal = candidates.every((endpoint) => endpoint.instance.weight === first);
    this.total = candidates.reduce((sum, endpoint) => sum + weightOf(endpoint), 0);
    // Weights that are all nothing say nothing.
    if (this.total === 0) this.equal = true;
    return this;
  }

  /** The endpoint at a share of the list's total weight; the share is from 0 up to, but not including, 1. */
  at<E extends Endpoint>(candidates: readonly E[], share: number): E {
    let rest = share * this.total;
    let chosen = candidates[0] as E;
    for (const endpoint of candidates) {
      const weight = weightOf(endpoint);
      if (weight === 0) continue;
      chosen = endpoint;
      if (rest < weight) break;
      rest -= weight;
    }
    return chosen;
  }
}

/** An endpoint's weight; one below zero counts as none. */
export function weightOf(endpoint: Endpoint): number {
  const { weight } = endpoint.instance;
  return weight > 0 ? weight : 0;
}

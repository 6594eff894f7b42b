import type { Endpoint } from '../endpoint.js';

/** The weights of a list of endpoints, added up once for each list; lists are replaced whole, so identity tells. */
class Sum {
  /** Whether all weigh the same, so that nobody needs to look at weights. */
  readonly equal: boolean;
  private readonly total: number;

  constructor(readonly seen: readonly Endpoint[]) {
    const first = seen[0]?.weight;
    this.total = seen.reduce((sum, endpoint) => sum + endpoint.weight, 0);
    // Weights that are all nothing say nothing.
    this.equal = this.total === 0 || seen.every((endpoint) => endpoint.weight === first);
  }

  /** The endpoint at a share of the list's total weight; the share is from 0 up to, but not including, 1. */
  at<E extends Endpoint>(candidates: readonly E[], share: number): E {
    let rest = share * this.total;
    let chosen = candidates[0] as E;
    for (const endpoint of candidates) {
      const { weight } = endpoint;
      if (weight === 0) continue;
      chosen = endpoint;
      if (rest < weight) break;
      rest -= weight;
    }
    return chosen;
  }
}

const NOTHING = new Sum([]);

/** The sums of the two lists that were seen last: with zones, picks go to and fro between the near and the far ones. */
export class Weights {
  private last: Sum = NOTHING;
  private before: Sum = NOTHING;

  of(candidates: readonly Endpoint[]): Sum {
    return this.last.seen === candidates ? this.last : this.look(candidates);
  }

  private look(candidates: readonly Endpoint[]): Sum {
    const found = this.before.seen === candidates ? this.before : new Sum(candidates);
    this.before = this.last;
    this.last = found;
    return found;
  }
}

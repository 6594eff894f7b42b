import type { Endpoint } from '../endpoint.js';
import { type CallKey, LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { HashRing } from './hash-ring.js';
import { PeakEwmaStrategy } from './peak-ewma.strategy.js';

/** How `consistentHash` chooses. */
export interface ConsistentHashOptions {
  /** How many times the average an endpoint may have under way before its keys go to the next one. @default 1.25 */
  readonly boundedLoad?: number;
}

/**
 * The same key goes to the same endpoint while that one is there and not overloaded; a call without the key goes anywhere.
 *
 * With bounded load (Mirrokni et al., 2016) a popular key cannot bury its endpoint: what is too much goes on to the next.
 */
export class ConsistentHashStrategy extends LoadBalancingStrategy {
  private readonly otherwise = new PeakEwmaStrategy();
  private readonly bound: number;
  private ring = new HashRing<Endpoint>([]);

  constructor(
    override readonly key: CallKey,
    { boundedLoad = 1.25 }: ConsistentHashOptions = {},
  ) {
    super();
    this.bound = Math.max(1, boundedLoad);
  }

  override pick<E extends Endpoint>(candidates: readonly E[], value?: string): E {
    if (value === undefined || value === '') return this.otherwise.pick(candidates);
    if (this.ring.candidates !== candidates) this.ring = new HashRing<Endpoint>(candidates);
    const { ring } = this;
    const place = ring.placeOf(value);
    const first = ring.ownerAt(place) as E;
    // One that has nothing to do is within every bound.
    if (first.active === 0) return first;
    const most = this.mostActive(candidates);
    for (let step = 0; step < ring.places; step++) {
      const endpoint = ring.ownerAt(place + step) as E;
      if (endpoint.active < most) return endpoint;
    }
    return first;
  }

  override score(endpoint: Endpoint): number {
    return endpoint.active;
  }

  private mostActive(candidates: readonly Endpoint[]): number {
    let active = 1;
    for (const endpoint of candidates) active += endpoint.active;
    return Math.ceil((active * this.bound) / candidates.length);
  }
}

import type { Endpoint } from '../endpoint.js';
import { type CallKey, LoadBalancingStrategy } from '../load-balancing-strategy.js';
import { hashOf } from './hash-ring.js';
import { PeakEwmaStrategy } from './peak-ewma.strategy.js';

/**
 * A client that brings the cookie goes where it was before, while that endpoint can take calls; anyone else gets the
 * cookie with the answer.
 *
 * The cookie holds a hash of the instance's id: enough to come back, and nothing about the system.
 */
export class StickyStrategy extends LoadBalancingStrategy {
  override readonly key: CallKey;
  private readonly otherwise = new PeakEwmaStrategy();
  private readonly tags = new WeakMap<Endpoint, string>();

  /** @param cookie the name of the cookie */
  constructor(private readonly cookie = 'rookery-instance') {
    super();
    this.key = { cookie };
  }

  override pick<E extends Endpoint>(candidates: readonly E[], value?: string): E {
    if (value !== undefined) {
      for (const endpoint of candidates) if (this.tagOf(endpoint) === value) return endpoint;
    }
    return this.otherwise.pick(candidates);
  }

  override cookieFor(endpoint: Endpoint): string {
    return `${this.cookie}=${this.tagOf(endpoint)}; Path=/; HttpOnly; SameSite=Lax`;
  }

  /** Whether a client with such a cookie was led to this endpoint by it. */
  tagOf(endpoint: Endpoint): string {
    let tag = this.tags.get(endpoint);
    if (tag === undefined) {
      const { id } = endpoint.instance;
      tag = hashOf(id).toString(36) + hashOf(`${id}/`).toString(36);
      this.tags.set(endpoint, tag);
    }
    return tag;
  }
}

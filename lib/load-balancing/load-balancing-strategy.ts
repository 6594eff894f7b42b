import type { Endpoint } from './endpoint.js';

/** Chooses one of the endpoints that can take a call. */
export abstract class LoadBalancingStrategy {
  /** Synchronous and without allocation: it runs for every request. The list has at least two endpoints. */
  abstract pick<E extends Endpoint>(candidates: readonly E[]): E;
}

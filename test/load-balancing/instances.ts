import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { Endpoint } from '../../lib/load-balancing/endpoint.js';

/** An instance of "orders" with an id. */
export function instance(id: string, more: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    id,
    service: 'orders',
    host: '127.0.0.1',
    port: 3000,
    ports: {},
    scheme: 'http',
    status: 'up',
    weight: 1,
    tags: [],
    metadata: {},
    ...more,
  };
}

/** Endpoints with such weights. */
export function endpoints(...weights: number[]): Endpoint[] {
  return weights.map((weight, i) => new Endpoint(instance(`orders-${i}`, { weight })));
}

/** A sequence of numbers from 0 to 1 that is the same every time (mulberry32). */
export function seeded(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

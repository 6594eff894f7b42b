import type { Clock } from '../common/clock.js';
import type { Endpoint } from './endpoint.js';

/** Into so many steps the time is cut in which an endpoint comes to its full share. */
const STEPS = 10;

/** Gives new endpoints, and those that were ill, a share that grows: caches are cold, and code is not compiled yet. */
export class SlowStart<E extends Endpoint> {
  private readonly starting = new Set<E>();
  private stop: (() => void) | undefined;

  constructor(
    /** How long it takes, in ms. */
    private readonly time: number,
    private readonly clock: Clock,
    /** Hears that shares are others than before. */
    private readonly changed: () => void,
  ) {}

  /** An endpoint begins. */
  begin(endpoint: E): void {
    endpoint.warmth = 1 / STEPS;
    this.starting.add(endpoint);
    this.stop ??= this.clock.every(this.time / STEPS, () => this.step());
  }

  /** An endpoint is gone. */
  release(endpoint: E): void {
    this.starting.delete(endpoint);
  }

  private step(): void {
    for (const endpoint of this.starting) {
      endpoint.warmth = Math.min(1, endpoint.warmth + 1 / STEPS);
      if (endpoint.warmth > 0.999) {
        endpoint.warmth = 1;
        this.starting.delete(endpoint);
      }
    }
    if (this.starting.size === 0) {
      this.stop?.();
      this.stop = undefined;
    }
    this.changed();
  }
}

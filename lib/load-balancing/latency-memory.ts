import type { Clock } from '../common/clock.js';
import type { Endpoint } from './endpoint.js';

/** How much of a slower answer, and of a faster one, goes into the smoothed latency. */
const WORSE = 0.3;
const BETTER = 0.1;
/** How often what is known fades, in ms, and how much of the difference to the fastest peer stays each time. */
const FADING = 1_000;
const STAYS = 0.85;

/** What is remembered of how long calls took: a slow answer counts at once, and fades while nobody asks again. */
export class LatencyMemory {
  private stop: (() => void) | undefined;
  private used = false;
  private closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly endpoints: () => Iterable<Endpoint>,
  ) {}

  /** A call took so long. */
  note(endpoint: Endpoint, elapsed: number): void {
    const { latency } = endpoint;
    if (latency === 0) endpoint.latency = elapsed;
    else endpoint.latency = latency + (elapsed - latency) * (elapsed > latency ? WORSE : BETTER);
    if (!this.used) this.wake();
  }

  /** Nothing fades any more. */
  close(): void {
    this.closed = true;
    this.rest();
  }

  private rest(): void {
    this.stop?.();
    this.stop = undefined;
  }

  private wake(): void {
    this.used = true;
    if (this.closed) return;
    this.stop ??= this.clock.every(FADING, () => this.fade());
  }

  private fade(): void {
    let best = Number.POSITIVE_INFINITY;
    let worst = 0;
    for (const { latency } of this.endpoints()) {
      if (latency === 0) continue;
      if (latency < best) best = latency;
      if (latency > worst) worst = latency;
    }
    // With nothing left to forget, an idle service costs no timer.
    if (!this.used && worst <= best * 1.1) return this.rest();
    this.used = false;
    for (const endpoint of this.endpoints()) {
      if (endpoint.latency > best) endpoint.latency = best + (endpoint.latency - best) * STAYS;
    }
  }
}

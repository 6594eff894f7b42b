import { Injectable } from '@nestjs/common';
import { EventHub } from '../common/event-hub.js';

/** Where an application is in its life: `starting`, then `ready` for traffic, then `draining`, leaving politely. */
export type AvailabilityState = 'starting' | 'ready' | 'draining';

/** Whether this application takes traffic; readiness answers 503 unless it is `ready`. */
@Injectable()
export class Availability {
  private now: AvailabilityState = 'starting';

  constructor(private readonly events: EventHub) {}

  get state(): AvailabilityState {
    return this.now;
  }

  /** Moves on. An application that drains never becomes ready again. */
  become(state: AvailabilityState): void {
    if (state === this.now || this.now === 'draining') return;
    const from = this.now;
    this.now = state;
    this.events.emit('availability.changed', { from, to: state });
  }
}

import { Injectable } from '@nestjs/common';
import { EventHub } from '../common/event-hub.js';
import { Availability } from '../health/availability.js';
import { HealthAggregator } from '../health/health-aggregator.js';
import type { InstanceStatus } from './service-instance.js';

/** The status this instance has in the registry: what was said by hand, else how its health is. */
@Injectable()
export class OwnStatus {
  private said: InstanceStatus | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly availability: Availability,
    private readonly health: HealthAggregator,
    events: EventHub,
  ) {
    events.on('health.changed', () => this.tell());
    events.on('availability.changed', () => this.tell());
  }

  get current(): InstanceStatus {
    if (this.availability.state === 'draining') return 'draining';
    return this.said ?? this.health.status();
  }

  /** Says a status by hand; `undefined` leaves it to health again. */
  say(status: InstanceStatus | undefined): void {
    this.said = status;
    this.tell();
  }

  /** Hears that it may be another; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

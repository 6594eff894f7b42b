import { Injectable, Logger } from '@nestjs/common';
import { EventHub } from '../common/event-hub.js';
import { Reachability } from './reachability.js';
import type { ServiceInstance } from './service-instance.js';

/** Tells the others, and a person, how this instance's registration goes. */
@Injectable()
export class RegistrationNotices {
  private readonly logger = new Logger('Discovery');
  private saidNotShown = false;

  constructor(
    private readonly events: EventHub,
    private readonly reachability: Reachability,
  ) {}

  /** Hears that the registry answers somebody again. */
  onReturn(listener: () => void): void {
    this.reachability.onReturn(listener);
  }

  registered(instance: ServiceInstance): void {
    this.events.emit('instance.registered', { instance });
  }

  lost(instance: ServiceInstance, why: 'forgotten' | 'not shown'): void {
    if (why === 'forgotten') {
      this.logger.log(`The registry has forgotten ${instance.id}; it registers again.`);
    } else if (!this.saidNotShown) {
      this.saidNotShown = true;
      this.logger.warn(
        `The registry accepted ${instance.id} but does not show it to those who look; it registers again. If this stays so, the token may not read this service.`,
      );
    }
    this.events.emit('lease.lost', { instance });
  }

  left(instance: ServiceInstance): void {
    this.events.emit('instance.deregistered', { instance });
  }

  failed(error: unknown): void {
    this.reachability.failed('registration', error);
  }

  answered(): void {
    this.reachability.succeeded('registration');
  }
}

import type { EventHub } from '../common/event-hub.js';
import type { PolicyError, PolicyTimeoutError } from './resilience.errors.js';

/** Announces what one policy does. */
export class PolicyEvents {
  constructor(
    /** The policy's name. */
    readonly policy: string,
    private readonly hub: EventHub,
  ) {}

  retried(retry: {
    readonly error: unknown;
    readonly attempt: number;
    readonly wait: number;
  }): void {
    this.hub.emit('policy.retried', { policy: this.policy, ...retry });
  }

  timedOut(error: PolicyTimeoutError): void {
    this.hub.emit('policy.timed-out', { policy: this.policy, error });
  }

  rejected(error: PolicyError): void {
    this.hub.emit('policy.rejected', { policy: this.policy, error });
  }

  fellBack(cause: unknown): void {
    this.hub.emit('policy.fell-back', { policy: this.policy, cause });
  }

  changed(): void {
    this.hub.emit('policy.changed', { policy: this.policy });
  }
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { messageOf } from '../common/errors.js';
import { EventHub } from '../common/event-hub.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from './discovery-backend.js';

/** An outage shorter than this, in ms, heals by itself and is not worth a person's attention: a new embedded holder, say. */
const GRACE = 1_000;

/** Whether the registry answers, as everyone who talks to it has found; announces each change and logs it once. */
@Injectable()
export class Reachability {
  private readonly logger = new Logger('Discovery');
  /** What fails at the moment, and why. */
  private readonly failures = new Map<string, string>();
  private lostAt: number | undefined;
  private cancelWarning: () => void = () => {};
  private hasWarned = false;
  private readonly listeners = new Set<() => void>();

  constructor(
    @Inject(DISCOVERY_BACKEND) private readonly backend: Pick<DiscoveryBackend, 'name'>,
    private readonly clock: Clock,
    private readonly events: EventHub,
  ) {}

  /** Why it does not answer, or `undefined` while all is well. */
  get reason(): string | undefined {
    return this.failures.values().next().value;
  }

  /** Since when it does not answer, in ms since 1970. */
  get since(): number | undefined {
    return this.lostAt;
  }

  /** Notes that something the registry was asked for has failed. */
  failed(what: string, error: unknown): void {
    const reason = messageOf(error);
    this.failures.set(what, reason);
    if (this.lostAt !== undefined) return;
    this.lostAt = this.clock.wallTime();
    this.cancelWarning = this.clock.after(GRACE, () => this.warn());
    this.events.emit('registry.unreachable', { backend: this.backend.name, reason });
  }

  /** Hears that the registry has answered one after it did not: the others need not wait any longer; returns how to stop. */
  onReturn(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Notes that something the registry was asked for has worked. */
  succeeded(what: string): void {
    if (!this.failures.delete(what)) return;
    for (const listener of this.listeners) listener();
    if (this.failures.size > 0) return;
    this.lostAt = undefined;
    this.cancelWarning();
    if (this.hasWarned) this.logger.log(`The registry "${this.backend.name}" answers again.`);
    this.hasWarned = false;
    this.events.emit('registry.reachable', { backend: this.backend.name });
  }

  private warn(): void {
    const [what, reason] = this.failures.entries().next().value ?? [];
    this.hasWarned = true;
    this.logger.warn(
      `The registry "${this.backend.name}" does not answer (${what}: ${reason}). This service works on with what it knows and tries again until it does.`,
    );
  }
}

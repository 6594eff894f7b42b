import { Backoff } from '../common/backoff.js';
import type { Clock } from '../common/clock.js';
import { askedToWait } from './patient-stream.js';
import type { InstanceStatus, ServiceInstance } from './service-instance.js';
import type { Lease, ServiceRegistry } from './service-registry.js';

/** How long one call to the registry may take, in ms. */
const CALL_LIMIT = 5_000;

/** How long a goodbye may take, in ms: the lease ends by itself anyway. */
const GOODBYE_LIMIT = 2_000;

/** A registration that held so long, in ms, is made anew at once when it is lost; others after a wait that grows to the second. */
const HELD_LONG = 1_000;
const MOST_WAIT = 2_000;

/** What keeps an instance registered needs, and whom it tells. */
export interface RegistrationContext {
  readonly registry: ServiceRegistry;
  readonly clock: Clock;
  /** How often to look after the lease when it does not say so itself, in ms. */
  readonly heartbeat: number;
  /** What to register, with its status of this moment. */
  readonly instance: () => ServiceInstance;
  /** Whether the registry shows an instance to those who look; undefined when that is not known at the moment. */
  readonly isShown: (id: string) => boolean | undefined;
  readonly onRegistered: (instance: ServiceInstance) => void;
  readonly onLost: (instance: ServiceInstance, why: 'forgotten' | 'not shown') => void;
  readonly onFailure: (error: unknown) => void;
  readonly onAnswer: () => void;
}

interface Held {
  readonly lease: Lease;
  readonly instance: ServiceInstance;
  readonly since: number;
}

/** That this instance is registered, as a wish that is kept for ever: it registers, renews, and registers again. */
export class Registration {
  private readonly stopped = new AbortController();
  private readonly goodbye = new AbortController();
  private readonly backoff: Backoff;
  private readonly losses = new Backoff({ most: MOST_WAIT });
  private readonly done: Promise<void>;
  private held: Held | undefined;
  private told: InstanceStatus | undefined;
  private nap = new AbortController();
  private outdated = false;
  private failing = false;
  private lost = false;
  private absentSince: number | undefined;

  constructor(private readonly context: RegistrationContext) {
    // A registry that is back, perhaps empty, is to know us again within two seconds.
    this.backoff = new Backoff({ most: Math.min(1_500, context.heartbeat) });
    this.done = this.run();
  }

  /** What is registered at the moment. */
  get registered(): ServiceInstance | undefined {
    return this.held?.instance;
  }

  /** The instance says something else of itself: register it again. */
  replace(): void {
    this.outdated = true;
    this.nap.abort();
  }

  /** The status may be another: tell the registry now. */
  refresh(): void {
    if (this.context.instance().status !== this.told) this.nap.abort();
  }

  /** The registry answers again: look after the lease now, if that had failed. */
  retry(): void {
    if (this.failing) this.nap.abort();
  }

  /** Ends for good and takes the registration back; gives what was registered, if anything was. */
  async stop(): Promise<ServiceInstance | undefined> {
    this.stopped.abort();
    this.nap.abort();
    const cancel = this.context.clock.after(GOODBYE_LIMIT, () => this.goodbye.abort());
    // A register under way may still succeed; only then is there something to take back.
    await Promise.race([this.done, aborted(this.goodbye.signal)]);
    const held = this.held;
    this.held = undefined;
    try {
      await held?.lease.revoke(this.goodbye.signal);
    } catch (error) {
      this.context.onFailure(error);
    }
    cancel();
    return held?.instance;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        await (this.held && !this.outdated ? this.lookAfter(this.held) : this.register());
        this.backoff.reset();
        this.failing = false;
        this.context.onAnswer();
        if (!this.isUrgent()) await this.rest(jitter(this.interval));
      } catch (error) {
        if (signal.aborted) return;
        this.failing = true;
        this.context.onFailure(error);
        await this.rest(Math.max(askedToWait(error), this.backoff.next()));
      }
    }
  }

  /** Whether something happened during the last call that cannot wait for the next beat. */
  private isUrgent(): boolean {
    return this.lost || this.outdated || this.context.instance().status !== this.told;
  }

  private get interval(): number {
    return this.held?.lease.renewEvery ?? this.context.heartbeat;
  }

  private async register(): Promise<void> {
    this.outdated = false;
    this.lost = false;
    const instance = this.context.instance();
    try {
      const lease = await this.call(this.goodbye.signal, (signal) =>
        this.context.registry.register(instance, signal),
      );
      this.held = { lease, instance, since: this.context.clock.now() };
      this.told = instance.status;
      this.absentSince = undefined;
      void this.follow(lease);
    } catch (error) {
      this.outdated = this.held !== undefined;
      throw error;
    }
    this.context.onRegistered(instance);
  }

  /** Wakes up when the registry is known to have forgotten us. */
  private async follow(lease: Lease): Promise<void> {
    await lease.lost;
    if (!lease.lost || this.held?.lease !== lease) return;
    this.lost = true;
    this.nap.abort();
  }

  private async lookAfter(held: Held): Promise<void> {
    const { status } = this.context.instance();
    if (!this.lost && (held.lease.renewEvery !== undefined || status !== this.told)) {
      const answer = await this.call(this.stopped.signal, (signal) =>
        held.lease.renew(status, signal),
      );
      this.told = status;
      this.lost ||= answer === 'lost';
    }
    if (this.lost) await this.registerAgain(held, 'forgotten');
    else if (this.isAbsent(held.instance.id)) await this.registerAgain(held, 'not shown');
  }

  private async registerAgain(held: Held, why: 'forgotten' | 'not shown'): Promise<void> {
    this.held = undefined;
    this.context.onLost(held.instance, why);
    const { clock } = this.context;
    // At once; but a registry that forgets again and again is not asked in a hot loop.
    if (clock.now() - held.since >= HELD_LONG) this.losses.reset();
    else await clock.sleep(this.losses.next(), this.stopped.signal);
    if (!this.stopped.signal.aborted) await this.register();
  }

  /** An agent that accepted a registration proves nothing: only what others see counts. */
  private isAbsent(id: string): boolean {
    const now = this.context.clock.now();
    if (this.context.isShown(id) !== false) this.absentSince = undefined;
    else this.absentSince ??= now;
    return this.absentSince !== undefined && now - this.absentSince >= this.context.heartbeat;
  }

  private async call<T>(
    parent: AbortSignal,
    task: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { signal, cancel } = this.context.clock.deadline(CALL_LIMIT, parent);
    try {
      return await task(signal);
    } finally {
      cancel();
    }
  }

  private async rest(delay: number): Promise<void> {
    this.nap = new AbortController();
    if (this.stopped.signal.aborted) return;
    await this.context.clock.sleep(delay, this.nap.signal);
  }
}

/** Ten percent more or less, so that a fleet that started together does not beat together. */
function jitter(interval: number): number {
  return interval * (0.9 + 0.2 * Math.random());
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

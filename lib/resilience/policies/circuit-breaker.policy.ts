import { EventEmitter } from 'node:events';
import type { Clock } from '../../common/clock.js';
import type { Circuit } from '../circuit.js';
import type { PolicyEvents } from '../policy-events.js';
import { PolicyCircuitOpenError } from '../resilience.errors.js';
import { Policy, type PolicyCall, type Run } from './policy.js';

/** What of opossum's breaker an outsider may see: its events and figures, for the tools that read them. */
export interface OpossumBreaker extends EventEmitter {
  readonly name: string;
  readonly opened: boolean;
  readonly closed: boolean;
  readonly stats: Readonly<Record<string, unknown>>;
}

/** What of it this file needs. */
interface Breaker extends OpossumBreaker {
  fire(call: PolicyCall): Promise<unknown>;
  open(): void;
  close(): void;
  shutdown(): void;
}

type BreakerConstructor = new (
  action: (call: PolicyCall) => Promise<unknown>,
  options: Readonly<Record<string, unknown>>,
) => Breaker;

/** The longest that a timer takes: opossum's own way from open to half-open is never gone. */
const NEVER = 2 ** 31 - 1;

/** Makes circuit breakers; opossum is loaded with the first. */
export class CircuitBreakers {
  /** One beat for the windows of all breakers, where opossum by itself has two timers for each. */
  private readonly beat = new EventEmitter().setMaxListeners(0);
  private Breaker: BreakerConstructor | undefined;
  private stop: (() => void) | undefined;
  private open = 0;

  constructor(private readonly clock: Clock) {}

  async load(): Promise<void> {
    if (this.Breaker !== undefined) return;
    const module = await import('opossum');
    this.Breaker = module.default as unknown as BreakerConstructor;
  }

  /** Whether `make` can be called. */
  get loaded(): boolean {
    return this.Breaker !== undefined;
  }

  /** How many breakers listen to the beat. */
  get listeners(): number {
    return this.beat.listenerCount('rotate');
  }

  /** @throws Error before `load` */
  make(
    circuit: Circuit,
    events: PolicyEvents,
    ignores?: (error: unknown) => boolean,
  ): CircuitBreakerPolicy {
    if (this.Breaker === undefined) throw new Error('opossum is not loaded yet');
    const { Breaker, beat, clock } = this;
    this.open++;
    this.stop ??= clock.every(1_000, () => beat.emit('rotate'));
    const breaker = (action: (call: PolicyCall) => Promise<unknown>) =>
      new Breaker(action, {
        name: events.policy,
        // Each of these is another policy's, and opossum's would be for all calls at once.
        timeout: false,
        // Whether it opens is decided by the circuit: opossum has neither slow calls nor more than one trial call.
        volumeThreshold: Number.MAX_SAFE_INTEGER,
        resetTimeout: NEVER,
        rollingPercentilesEnabled: false,
        enableSnapshots: false,
        rotateBucketController: beat,
      });
    return new CircuitBreakerPolicy({
      circuit,
      events,
      clock,
      breaker,
      ignores,
      closed: () => this.onClosed(),
    });
  }

  private onClosed(): void {
    if (--this.open > 0) return;
    this.stop?.();
    this.stop = undefined;
  }
}

interface Parts {
  readonly circuit: Circuit;
  readonly events: PolicyEvents;
  readonly clock: Clock;
  readonly breaker: (action: (call: PolicyCall) => Promise<unknown>) => Breaker;
  readonly ignores: ((error: unknown) => boolean) | undefined;
  readonly closed: () => void;
}

/**
 * Refuses calls while too many fail or take too long: `opossum` behind our options.
 *
 * The shared circuit decides, and opossum runs the calls and is told: opossum 9 lets exactly one trial call through, knows no
 * slow calls, and stays half-open for ever when that one never ends (opossum#276), while the circuit here is the same that
 * guards an upstream, counts permits, and gives back those of calls that never ended.
 */
export class CircuitBreakerPolicy extends Policy {
  private running: Breaker | undefined;
  private generation = -1;
  private isOver = false;

  constructor(private readonly parts: Parts) {
    super();
  }

  override wrap(next: Run): Run {
    const { circuit, clock, events } = this.parts;
    const breaker = (this.running = this.parts.breaker(next));
    return (call) => {
      if (!circuit.allow()) {
        this.mirror();
        const error = new PolicyCircuitOpenError(events.policy);
        events.rejected(error);
        return Promise.reject(error);
      }
      this.mirror();
      const { generation } = circuit;
      // One that was made for other options lives on in its last calls.
      if (this.isOver) return next(call);
      const began = clock.now();
      return breaker.fire(call).then(
        (value: unknown) => {
          const now = clock.now();
          circuit.succeeded(generation, now, now - began);
          return value;
        },
        (error: unknown) => {
          this.onError(error, call, { generation, began });
          throw error;
        },
      );
    };
  }

  /** opossum's own breaker, there once the policy is part of a pipeline. */
  get breaker(): OpossumBreaker | undefined {
    return this.running;
  }

  override close(): void {
    this.isOver = true;
    this.running?.shutdown();
    this.parts.closed();
  }

  private onError(
    error: unknown,
    call: PolicyCall,
    { generation, began }: { readonly generation: number; readonly began: number },
  ): void {
    const { circuit, clock, ignores } = this.parts;
    const now = clock.now();
    if (call.signal?.aborted) circuit.cancelled(generation);
    else if (ignores?.(error) === true) circuit.succeeded(generation, now, now - began);
    else circuit.failed(generation, now, now - began);
    this.mirror();
  }

  /** Tells opossum what the circuit has become. */
  private mirror(): void {
    const { circuit } = this.parts;
    if (circuit.generation === this.generation) return;
    this.generation = circuit.generation;
    if (circuit.state === 'open') this.running?.open();
    else this.running?.close();
  }
}

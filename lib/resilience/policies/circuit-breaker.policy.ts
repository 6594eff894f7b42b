import { EventEmitter } from 'node:events';
import type OpossumCircuitBreaker from 'opossum';
import type { Clock } from '../../common/clock.js';
import type { Circuit } from '../circuit.js';
import type { PolicyEvents } from '../policy-events.js';
import { PolicyCircuitOpenError } from '../resilience.errors.js';
import { Policy, type PolicyCall, type Run } from './policy.js';

/** opossum's breaker, as an outsider may see it: for its events, its `stats`, and the tools that read them. */
export type OpossumBreaker = OpossumCircuitBreaker<[PolicyCall], unknown>;

type OpossumConstructor = new (
  action: (call: PolicyCall) => Promise<unknown>,
  options: OpossumCircuitBreaker.Options & {
    readonly rotateBucketController: EventEmitter;
  },
) => OpossumBreaker;

/** The longest that a timer takes: opossum's own way from open to half-open is never gone. */
const NEVER = 2 ** 31 - 1;

/** Makes circuit breakers; opossum is loaded with the first. */
export class CircuitBreakers {
  /** One beat for the windows of all breakers, where opossum by itself has two timers for each. */
  private readonly beat = new EventEmitter().setMaxListeners(0);
  private Breaker: OpossumConstructor | undefined;
  private stop: (() => void) | undefined;
  private open = 0;

  constructor(private readonly clock: Clock) {}

  async load(): Promise<void> {
    if (this.Breaker !== undefined) return;
    const module = await import('opossum');
    this.Breaker = module.default as unknown as OpossumConstructor;
  }

  /** Whether `make` can be called. */
  get loaded(): boolean {
    return this.Breaker !== undefined;
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
  readonly breaker: (action: (call: PolicyCall) => Promise<unknown>) => OpossumBreaker;
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
  /** opossum's own breaker, there once the policy is part of a pipeline. */
  breaker: OpossumBreaker | undefined;
  private generation = -1;

  constructor(private readonly parts: Parts) {
    super();
  }

  override wrap(next: Run): Run {
    const { circuit, clock, events } = this.parts;
    const breaker = (this.breaker = this.parts.breaker(next));
    return (call) => {
      if (!circuit.allow()) {
        this.mirror();
        const error = new PolicyCircuitOpenError(events.policy);
        events.rejected(error);
        return Promise.reject(error);
      }
      this.mirror();
      const { generation } = circuit;
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

  override close(): void {
    this.breaker?.shutdown();
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
    if (circuit.state === 'open') this.breaker?.open();
    else this.breaker?.close();
  }
}

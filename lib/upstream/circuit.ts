import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import type { CircuitState, CircuitView } from '../resilience/circuit.js';
import type { CircuitSettings } from '../resilience/resilience.options.js';

/** The window is counted in so many pieces, of which the oldest is forgotten at a time. */
const BUCKETS = 10;

/**
 * Refuses calls to a service that keeps failing, and finds out when it is well again.
 *
 * Synchronous and without timers: `allow` before a call, one of `succeeded`, `failed` and `cancelled` after it, with the
 * `generation` that was current when the call was allowed. Outcomes of an older generation are too late to matter.
 */
export class Circuit implements CircuitView {
  /** Counts changes of state. */
  generation = 0;
  private current: CircuitState = 'closed';
  private readonly good = new Int32Array(BUCKETS);
  private readonly bad = new Int32Array(BUCKETS);
  private goodTotal = 0;
  private badTotal = 0;
  private bucket = 0;
  private readonly bucketLength: number;
  /** Which piece of all time the current bucket is. */
  private tick: number;
  private reopensAt = 0;
  private underWay = 0;
  private proven = 0;
  private lastPermit = 0;

  constructor(
    readonly name: string,
    private readonly settings: CircuitSettings,
    private readonly clock: Clock,
    private readonly events: EventHub,
  ) {
    this.bucketLength = settings.window / BUCKETS;
    this.tick = Math.floor(clock.now() / this.bucketLength);
  }

  get state(): CircuitState {
    return this.current;
  }

  get calls(): number {
    this.roll(this.clock.now());
    return this.goodTotal + this.badTotal;
  }

  get failures(): number {
    this.roll(this.clock.now());
    return this.badTotal;
  }

  /** Whether a call may be made now. A closed circuit says so without reading the clock. */
  allow(): boolean {
    return this.current === 'closed' || this.permit();
  }

  /** A call that was allowed ended well. */
  succeeded(generation: number, now: number): void {
    if (generation !== this.generation) return;
    this.roll(now);
    this.good[this.bucket] = (this.good[this.bucket] ?? 0) + 1;
    this.goodTotal++;
    if (this.current === 'half-open') {
      this.returnPermit();
      if (++this.proven >= this.settings.halfOpenCalls) this.close();
    } else if (this.badTotal > 0) this.judge(now);
  }

  /** A call that was allowed failed. */
  failed(generation: number, now: number): void {
    if (generation !== this.generation) return;
    this.roll(now);
    this.bad[this.bucket] = (this.bad[this.bucket] ?? 0) + 1;
    this.badTotal++;
    if (this.current === 'half-open') this.open(now);
    else this.judge(now);
  }

  /** A call that was allowed ended without saying anything about the service. */
  cancelled(generation: number): void {
    if (generation === this.generation && this.current === 'half-open') this.returnPermit();
  }

  /** There is reason to believe that the service is back: an open circuit tries at once. */
  retry(): void {
    if (this.current === 'open') this.halfOpen();
  }

  private permit(): boolean {
    const now = this.clock.now();
    const { openFor, halfOpenCalls } = this.settings;
    if (this.current === 'open') {
      if (now < this.reopensAt) return false;
      this.halfOpen();
    }
    // A call whose end is never reported must not keep its permit for ever.
    if (now - this.lastPermit >= openFor) this.underWay = 0;
    if (this.underWay + this.proven >= halfOpenCalls) return false;
    this.underWay++;
    this.lastPermit = now;
    return true;
  }

  private returnPermit(): void {
    if (this.underWay > 0) this.underWay--;
  }

  private judge(now: number): void {
    const { minimumCalls, failureRate } = this.settings;
    const calls = this.goodTotal + this.badTotal;
    if (calls >= minimumCalls && this.badTotal * 100 >= failureRate * calls) this.open(now);
  }

  private open(now: number): void {
    this.become('open');
    const { window, openFor } = this.settings;
    this.reopensAt = now + openFor;
    this.events.emit('circuit.opened', { circuit: this, window, openFor });
  }

  private halfOpen(): void {
    this.become('half-open');
    this.underWay = 0;
    this.proven = 0;
    this.events.emit('circuit.half-opened', { circuit: this });
  }

  private close(): void {
    this.become('closed');
    this.good.fill(0);
    this.bad.fill(0);
    this.goodTotal = 0;
    this.badTotal = 0;
    this.events.emit('circuit.closed', { circuit: this });
  }

  private become(state: CircuitState): void {
    this.current = state;
    this.generation++;
  }

  /** Forgets the pieces of the window that are over. */
  private roll(now: number): void {
    const tick = Math.floor(now / this.bucketLength);
    const passed = Math.min(BUCKETS, tick - this.tick);
    if (passed <= 0) return;
    this.tick = tick;
    for (let i = 0; i < passed; i++) {
      this.bucket = (this.bucket + 1) % BUCKETS;
      this.goodTotal -= this.good[this.bucket] ?? 0;
      this.badTotal -= this.bad[this.bucket] ?? 0;
      this.good[this.bucket] = 0;
      this.bad[this.bucket] = 0;
    }
  }
}

import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import { CallWindow } from './call-window.js';
import type { CircuitState, CircuitSwitch } from './circuit-view.js';
import type { CircuitSettings } from './circuit.options.js';

/**
 * Refuses calls to a service that keeps failing, and finds out when it is well again.
 *
 * Synchronous and without timers: `allow` before a call, one of `succeeded`, `failed` and `cancelled` after it, with the
 * `generation` that was current when the call was allowed. Outcomes of an older generation are too late to matter.
 */
export class Circuit implements CircuitSwitch {
  /** Counts changes of state. */
  generation = 0;
  forced = false;
  private current: CircuitState = 'closed';
  private readonly window: CallWindow;
  /** Calls of at least so many ms are slow. */
  private readonly slow: number;
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
    this.window = new CallWindow(settings.window, clock.now());
    this.slow = settings.slowCall === 0 ? Number.POSITIVE_INFINITY : settings.slowCall;
  }

  get state(): CircuitState {
    return this.current;
  }

  get calls(): number {
    return this.window.at(this.clock.now()).calls;
  }

  get failures(): number {
    return this.window.at(this.clock.now()).bad;
  }

  get slowCalls(): number {
    return this.window.at(this.clock.now()).slow;
  }

  /** How long it refuses further calls for sure, in ms. */
  get reopensIn(): number {
    return this.current === 'open' ? Math.max(0, this.reopensAt - this.clock.now()) : 0;
  }

  /** Whether a call may be made now. A closed circuit says so without reading the clock. */
  allow(): boolean {
    return this.current === 'closed' || this.permit();
  }

  /** A call that was allowed ended well; `took` in ms. */
  succeeded(generation: number, now: number, took = 0): void {
    if (generation !== this.generation) return;
    const { window } = this;
    window.roll(now);
    window.add(false, took >= this.slow);
    if (this.current === 'half-open') this.prove(took);
    else if (window.bad + window.slow > 0) this.judge(now);
  }

  /** A call that was allowed failed; `took` in ms. */
  failed(generation: number, now: number, took = 0): void {
    if (generation !== this.generation) return;
    this.window.roll(now);
    this.window.add(true, took >= this.slow);
    if (this.current === 'half-open') this.open(now);
    else this.judge(now);
  }

  /** A call that was allowed ended without saying anything about the service. */
  cancelled(generation: number): void {
    if (generation === this.generation && this.current === 'half-open') this.returnPermit();
  }

  /** There is reason to believe that the service is back: an open circuit tries at once. */
  retry(): void {
    if (this.current === 'open' && !this.forced) this.halfOpen();
  }

  forceOpen(): void {
    this.forced = true;
    this.reopensAt = Number.POSITIVE_INFINITY;
    if (this.current === 'open') return;
    this.become('open');
    this.announceOpening(0);
  }

  forceClose(): void {
    this.forced = false;
    if (this.current === 'closed') this.window.clear();
    else this.close();
  }

  disable(): void {
    this.forced = true;
    if (this.current === 'disabled') return;
    this.become('disabled');
    this.window.clear();
    this.events.emit('circuit.disabled', { circuit: this });
  }

  private permit(): boolean {
    if (this.current === 'disabled') return true;
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

  /** A call went well while half-open; one that was slow has shown nothing. */
  private prove(took: number): void {
    this.returnPermit();
    if (took >= this.slow) return this.open(this.clock.now());
    if (++this.proven >= this.settings.halfOpenCalls) this.close();
  }

  private judge(now: number): void {
    if (this.current !== 'closed') return;
    const { minimumCalls, failureRate, slowCallRate } = this.settings;
    const { calls, bad, slow } = this.window;
    if (calls < minimumCalls) return;
    if (bad * 100 >= failureRate * calls) this.open(now);
    else if (slow > 0 && slow * 100 >= slowCallRate * calls) this.open(now);
  }

  private open(now: number): void {
    this.become('open');
    this.reopensAt = now + this.settings.openFor;
    this.announceOpening(this.settings.openFor);
  }

  private announceOpening(openFor: number): void {
    this.events.emit('circuit.opened', { circuit: this, window: this.settings.window, openFor });
  }

  private halfOpen(): void {
    this.become('half-open');
    this.underWay = 0;
    this.proven = 0;
    this.events.emit('circuit.half-opened', { circuit: this });
  }

  private close(): void {
    this.become('closed');
    this.window.clear();
    this.events.emit('circuit.closed', { circuit: this });
  }

  private become(state: CircuitState): void {
    this.current = state;
    this.generation++;
  }
}

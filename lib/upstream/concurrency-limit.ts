/** When the limit of calls that wait for an answer moves. */
export interface ConcurrencySettings {
  /** Below so many no call is ever refused. */
  readonly min: number;
  readonly max: number;
  /** How many times the usual latency is borne. */
  readonly tolerance: number;
  /** Latencies up to so many ms are always borne. */
  readonly latency: number;
}

/** How long calls are looked at before the limit moves, in ms, and how many must have been answered by then. */
const WINDOW = 100;
const SAMPLES = 10;
/** So many windows in a row must be slow: a machine that stood still for a moment is not overloaded. */
const PATIENCE = 5;
/** So many may always wait for each endpoint, of which one alone may be the slow one. */
const EACH = 8;
/** So many times as many must wait as when it became slow: a queue that grows is more than one that is long. */
const GROWTH = 1.5;
/** So many windows in a row in which answers come steadily, calls take longer by so much, and more wait, are enough too. */
const CLIMB = 3;
const STEEPNESS = 1.1;
/** Below this part of what is bearable nothing is called a climb. */
const FOOT = 1 / 4;
/** How fast the idea of the usual latency follows: a better one, a worse one, and a worse one at the lower bound. */
const DOWN = 0.3;
const UP = 0.01;
const UP_AT_MIN = 0.2;
/** How fast the idea of the answers per second follows, and how slowly the best is forgotten, for each window. */
const PACE = 0.2;
const KEEPS = 0.998;
/** With less than this share of the best, it is the limit that holds the service back. */
const HELD_BACK = 0.7;

/**
 * How many calls may wait for an answer of a service at a time: found out by what they cost, after Netflix's gradient
 * limiter.
 *
 * When calls take much longer than usual, more and more of them wait, and no more are answered for it, they only wait for
 * each other: the limit shrinks, and what is too much is refused at once instead of making everybody late. When fewer are answered since it
 * shrank, the service is slow by nature and not for our calls: the limit grows again, and the usual latency is another.
 */
export class ConcurrencyLimit {
  /** Calls that wait for an answer. */
  waiting = 0;
  /** How many endpoints they are for; kept by the upstream. */
  endpoints = 0;
  private most: number;
  private usual = 0;
  private sum = 0;
  private count = 0;
  private peak = 0;
  private refused = 0;
  private windowEnd = 0;
  private slowWindows = 0;
  private climbing = 0;
  private latencyBefore = 0;
  private waitingBefore = 0;
  /** How many waited when calls became slow. */
  private waitingThen = 0;
  private pace = 0;
  private best = 0;

  constructor(private readonly settings: ConcurrencySettings) {
    this.most = settings.max;
  }

  /** How many may wait at a time, now. */
  get limit(): number {
    return this.most;
  }

  /** How long an answer usually takes, in ms; 0 before it is known. */
  get usualLatency(): number {
    return this.usual;
  }

  /** Below so many no call is ever refused, now. */
  private get least(): number {
    return Math.min(this.settings.max, Math.max(this.settings.min, this.endpoints * EACH));
  }

  /** Whether one more may wait; if so, it counts until `leave`. */
  enter(): boolean {
    if (this.waiting >= this.most && this.waiting >= this.least) {
      this.refused++;
      return false;
    }
    this.waiting++;
    if (this.waiting > this.peak) this.peak = this.waiting;
    return true;
  }

  /** One waits no longer. */
  leave(): void {
    this.waiting--;
  }

  /** An answer took so many ms. */
  answered(latency: number, now: number): void {
    this.sum += latency;
    this.count++;
    if (now >= this.windowEnd && this.count >= SAMPLES) this.adjust(now);
  }

  private adjust(now: number): void {
    const latency = this.sum / this.count;
    const elapsed = now - this.windowEnd + WINDOW;
    if (this.usual === 0) this.usual = latency;
    this.measurePace(elapsed);
    const bearable = Math.max(this.usual * this.settings.tolerance, this.settings.latency);
    const heldBack = this.refused > 0 && this.pace < this.best * HELD_BACK;
    this.slowWindows = latency > bearable ? this.slowWindows + 1 : 0;
    if (this.slowWindows === 1) this.waitingThen = this.waiting;
    this.climbing = this.climbs(latency, elapsed, bearable) ? this.climbing + 1 : 0;
    if (this.climbing >= CLIMB && this.foresees(elapsed, bearable)) this.shrink(1);
    else if (latency <= bearable || heldBack) this.grow();
    else if (this.isOverload()) this.shrink(bearable / latency);
    this.learn(latency, heldBack);
    this.latencyBefore = latency;
    this.waitingBefore = this.waiting;
    this.sum = this.count = this.refused = 0;
    this.peak = this.waiting;
    this.windowEnd = now + WINDOW;
  }

  /** Whether a queue grows while answers come steadily: after a standstill they come late and all at once. */
  private climbs(latency: number, elapsed: number, bearable: number): boolean {
    if (elapsed > 2 * WINDOW || latency < bearable * FOOT) return false;
    return (
      latency > this.latencyBefore * STEEPNESS &&
      (this.refused > 0 || this.waiting > this.waitingBefore)
    );
  }

  /** Whether a call that comes now would wait too long, as fast as those before it are answered (Little's law). */
  private foresees(elapsed: number, bearable: number): boolean {
    return (this.waiting * elapsed) / this.count > bearable;
  }

  /** How many answers a second there are, and were at best. */
  private measurePace(elapsed: number): void {
    this.pace += ((this.count * 1_000) / elapsed - this.pace) * PACE;
    this.best = Math.max(this.best * KEEPS, this.pace);
  }

  /** Whether more and more calls wait, or would if none were refused; what is only slow for a while answers them all. */
  private isOverload(): boolean {
    if (this.slowWindows < PATIENCE) return false;
    return this.refused > 0 || this.waiting > this.waitingThen * GROWTH + SAMPLES;
  }

  private grow(): void {
    if (this.peak * 2 <= this.most) return;
    this.most = Math.min(this.settings.max, Math.ceil(this.most + Math.sqrt(this.most)));
  }

  private shrink(share: number): void {
    // From what there was, not from what there might have been.
    const next = Math.min(this.most, this.peak) * Math.max(0.5, share);
    // What is answered soon enough is never too much.
    const enough = (this.pace * this.settings.latency) / 1_000;
    this.most = Math.max(this.least, Math.floor(next), Math.floor(enough));
  }

  private learn(latency: number, heldBack: boolean): void {
    const difference = latency - this.usual;
    if (difference < 0) this.usual += difference * DOWN;
    else if (heldBack) this.usual += difference * UP_AT_MIN;
    else if (this.refused === 0) {
      this.usual += difference * (this.most <= this.least ? UP_AT_MIN : UP);
    }
  }
}

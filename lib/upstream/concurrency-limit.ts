/** When the limit of calls that wait for an answer moves. */
export interface ConcurrencySettings {
  /** Below so many no call is ever refused. */
  readonly min: number;
  readonly max: number;
  /** How many times the usual latency is borne. */
  readonly tolerance: number;
}

/** How long calls are looked at before the limit moves, in ms, and how many must have been answered by then. */
const WINDOW = 100;
const SAMPLES = 10;
/** So many ms more than usual are never a sign of overload. */
const SLACK = 20;
/** How fast the idea of the usual latency follows: a better one, a worse one in quiet, and a worse one at the lower bound. */
const DOWN = 0.3;
const UP = 0.01;
const UP_AT_MIN = 0.2;

/**
 * How many calls may wait for an answer of a service at a time: found out by what they cost, as in Netflix's gradient
 * limiter.
 *
 * While more calls at once take no longer, the limit grows. When they take longer than usual, they only wait for each other,
 * and it shrinks; what is too much is refused at once instead of making everybody late. Beneath the lower bound, latency
 * is not made by our calls, so that a service that is slow by nature is not throttled for it.
 */
export class ConcurrencyLimit {
  /** Calls that wait for an answer. */
  waiting = 0;
  private most: number;
  private usual = 0;
  private sum = 0;
  private count = 0;
  private peak = 0;
  private refused = 0;
  private windowEnd = 0;

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

  /** Whether one more may wait; if so, it counts until `leave`. */
  enter(): boolean {
    if (this.waiting >= this.most) {
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
    const { min, max, tolerance } = this.settings;
    const latency = this.sum / this.count;
    const atMin = this.most <= min;
    if (this.usual === 0) this.usual = latency;
    const bearable = this.usual * tolerance + SLACK;
    if (latency > bearable) {
      // From what there was, not from what there might have been.
      const next = Math.min(this.most, this.peak) * Math.max(0.5, bearable / latency);
      this.most = Math.max(min, Math.floor(next));
    } else if (this.peak * 2 > this.most) {
      this.most = Math.min(max, Math.ceil(this.most + Math.sqrt(this.most)));
    }
    this.learn(latency, atMin);
    this.sum = this.count = this.refused = 0;
    this.peak = this.waiting;
    this.windowEnd = now + WINDOW;
  }

  private learn(latency: number, atMin: boolean): void {
    const difference = latency - this.usual;
    if (difference < 0) this.usual += difference * DOWN;
    else if (atMin && this.peak <= this.most) this.usual += difference * UP_AT_MIN;
    else if (this.refused === 0) this.usual += difference * UP;
  }
}

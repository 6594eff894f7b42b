import type { Clock } from '../common/clock.js';

/** How often overdue things are looked for, in ms; deadlines are late by at most this. */
const SWEEP = 50;
/** Timers are late by so many ms on a machine that is well. */
const SLACK = 10;
/** A sweep that comes so much too late in ms means that the process itself stood still. */
const STALL = 100;

/** Something that must happen in time; it is an item of the list it waits in, so that waiting allocates nothing. */
export abstract class Deadline {
  /** @internal */ due = 0;
  /** @internal */ waitsIn: DeadlineList | undefined = undefined;
  /** @internal */ earlier: Deadline | undefined = undefined;
  /** @internal */ later: Deadline | undefined = undefined;

  /**
   * Whether time in which this process stood still does not count, because whoever is waited for could not be heard then.
   * @default false
   */
  get pauses(): boolean {
    return false;
  }

  /** The time is over; it waits no longer. */
  abstract expire(): void;
}

/** Deadlines of one and the same length: the first in is the first due, so only the head needs to be looked at. */
class DeadlineList {
  first: Deadline | undefined = undefined;
  private last: Deadline | undefined = undefined;

  append(deadline: Deadline, due: number): void {
    deadline.due = due;
    deadline.waitsIn = this;
    deadline.earlier = this.last;
    deadline.later = undefined;
    if (this.last === undefined) this.first = deadline;
    else this.last.later = deadline;
    this.last = deadline;
  }

  remove(deadline: Deadline): void {
    if (deadline.earlier === undefined) this.first = deadline.later;
    else deadline.earlier.later = deadline.later;
    if (deadline.later === undefined) this.last = deadline.earlier;
    else deadline.later.earlier = deadline.earlier;
    deadline.waitsIn = undefined;
    deadline.earlier = undefined;
    deadline.later = undefined;
  }
}

/**
 * Many deadlines for the price of one timer: a list for each length of time, swept every 50 ms while anything waits.
 *
 * A timer for each request would cost 100 to 400 ns, a signal several µs; this costs a few.
 */
export class Deadlines {
  private readonly lists = new Map<number, DeadlineList>();
  /** Those that pause; due by the time that this process lived, and not stood still. */
  private readonly pausing = new Map<number, DeadlineList>();
  private stop: (() => void) | undefined;
  private time = 0;
  private wasStalled = false;
  private lost = 0;

  constructor(private readonly clock: Clock) {}

  /** The time as of the last sweep, at most some 50 ms ago: good enough for long waits that begin often. */
  get coarseNow(): number {
    return this.stop ? this.time : this.clock.now();
  }

  /**
   * For how many ms of its life this process stood still, as far as it was looked at: what passed of it between two times
   * is nobody else's slowness. Answers are read before the sweep that is late by then, so that one counts already.
   */
  stoodStill(now: number): number {
    if (this.stop === undefined) return this.lost;
    const late = now - this.time - SWEEP;
    return late > SLACK ? this.lost + late : this.lost;
  }

  /** Begins a wait of so many ms; one that had begun is replaced. Nothing ever ends a wait of 0 ms. */
  set(deadline: Deadline, ms: number, now: number): void {
    if (deadline.waitsIn !== undefined) deadline.waitsIn.remove(deadline);
    if (ms === 0) return;
    const { pauses } = deadline;
    const lists = pauses ? this.pausing : this.lists;
    let list = lists.get(ms);
    if (list === undefined) lists.set(ms, (list = new DeadlineList()));
    list.append(deadline, (pauses ? now - this.stoodStill(now) : now) + ms);
    if (this.stop === undefined) this.start(now);
  }

  /** Ends a wait in time; without one it does nothing. */
  clear(deadline: Deadline): void {
    if (deadline.waitsIn !== undefined) deadline.waitsIn.remove(deadline);
  }

  private start(now: number): void {
    this.time = now;
    this.stop = this.clock.every(SWEEP, () => this.sweep());
  }

  private sweep(): void {
    const now = this.clock.now();
    this.lost = this.stoodStill(now);
    // After a standstill of our own, the answers that wait in the sockets are read before anything is called late.
    const stalled = !this.wasStalled && now - this.time > SWEEP + STALL;
    this.time = now;
    this.wasStalled = stalled;
    if (stalled) return;
    expireIn(this.lists, now);
    expireIn(this.pausing, now - this.lost);
    if (this.lists.size > 0 || this.pausing.size > 0) return;
    this.stop?.();
    this.stop = undefined;
  }
}

/** Ends the waits that are due; a list that is empty then is forgotten. */
function expireIn(lists: Map<number, DeadlineList>, now: number): void {
  for (const [ms, list] of lists) {
    for (let next = list.first; next !== undefined && next.due <= now; next = list.first) {
      list.remove(next);
      next.expire();
    }
    if (list.first === undefined) lists.delete(ms);
  }
}

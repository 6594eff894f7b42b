import { Clock } from '../common/clock.js';

interface Appointment {
  at: number;
  readonly every?: number;
  readonly task: () => void;
}

/**
 * A clock that stands still until a test pushes it.
 *
 * @example
 * const clock = new FakeClock();
 * const rung: number[] = [];
 * clock.every(1_000, () => rung.push(clock.now()));
 * await clock.advance(2_500);
 * // rung is [1000, 2000]
 */
export class FakeClock extends Clock {
  private readonly appointments = new Set<Appointment>();
  private elapsed = 0;

  /** @param start the wall time at the beginning, in ms since 1970 */
  constructor(private start = Date.UTC(2026, 0, 1)) {
    super();
  }

  override now(): number {
    return this.elapsed;
  }

  override wallTime(): number {
    return this.start + this.elapsed;
  }

  override after(delay: number, task: () => void): () => void {
    return this.book({ at: this.elapsed + delay, task });
  }

  override every(interval: number, task: () => void): () => void {
    return this.book({ at: this.elapsed + interval, every: interval, task });
  }

  override sleep(delay: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.after(delay, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  /** How many tasks and sleeps wait for their time. */
  get waiting(): number {
    return this.appointments.size;
  }

  /** Moves the wall clock alone, as an administrator or a bad time server does. */
  shiftWallTime(ms: number): void {
    this.start += ms;
  }

  /** Moves time forward by so many ms, runs what falls due in order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsed + ms;
    await settle();
    for (let due = this.next(end); due; due = this.next(end)) {
      this.elapsed = Math.max(this.elapsed, due.at);
      if (due.every === undefined) this.appointments.delete(due);
      else due.at = this.elapsed + due.every;
      due.task();
      await settle();
    }
    this.elapsed = end;
  }

  /** Lets so many ms pass in which nothing runs, as on a laptop that sleeps or in a process that is stopped; what fell due runs late. */
  async suspend(ms: number): Promise<void> {
    this.elapsed += ms;
    await this.advance(0);
  }

  private book(appointment: Appointment): () => void {
    this.appointments.add(appointment);
    return () => this.appointments.delete(appointment);
  }

  private next(end: number): Appointment | undefined {
    let first: Appointment | undefined;
    for (const each of this.appointments) {
      if (each.at <= end && (!first || each.at < first.at)) first = each;
    }
    return first;
  }
}

/** Lets everything that is already resolved run on, chains of promises included. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
}

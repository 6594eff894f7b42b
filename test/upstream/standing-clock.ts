import { FakeClock } from '../../lib/testing/fake-clock.js';

/** A clock whose timers fire when the test says, however late: the time of a process that stands still now and then. */
export class StandingClock extends FakeClock {
  time = 0;
  private readonly tasks = new Set<() => void>();

  override now(): number {
    return this.time;
  }

  override every(_ms: number, task: () => void): () => void {
    this.tasks.add(task);
    return () => this.tasks.delete(task);
  }

  /** What was due by now is done, however late. */
  sweep(): void {
    for (const task of this.tasks) task();
  }

  /** So many ms pass, and nothing is done meanwhile; then what is late by then is done. */
  stand(ms: number): void {
    this.time += ms;
    this.sweep();
  }

  /** So many ms pass, and everything is done in time. */
  live(ms: number): void {
    for (const end = this.time + ms; this.time < end;) this.stand(Math.min(50, end - this.time));
  }
}

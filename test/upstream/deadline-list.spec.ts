import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { Deadline, Deadlines } from '../../lib/upstream/deadline-list.js';
import { StandingClock } from './standing-clock.js';

class Bell extends Deadline {
  rang: number | undefined;

  constructor(private readonly clock: FakeClock) {
    super();
  }

  override expire(): void {
    this.rang = this.clock.now();
  }
}

/** One that waits only while this process lives. */
class PausingBell extends Bell {
  override get pauses(): boolean {
    return true;
  }
}

describe('Deadlines', () => {
  it('ends a wait at its time, at most one sweep late', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const bell = new Bell(clock);
    deadlines.set(bell, 120, clock.now());
    await clock.advance(119);
    expect(bell.rang).toBeUndefined();
    await clock.advance(100);
    expect(bell.rang).toBe(150);
  });

  it('forgets a wait that was cleared, and one that was replaced', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const [cleared, replaced] = [new Bell(clock), new Bell(clock)];
    deadlines.set(cleared, 100, 0);
    deadlines.set(replaced, 100, 0);
    deadlines.set(replaced, 1_000, 0);
    deadlines.clear(cleared);
    deadlines.clear(cleared);
    await clock.advance(900);
    expect([cleared.rang, replaced.rang]).toEqual([undefined, undefined]);
    await clock.advance(200);
    expect(replaced.rang).toBe(1_000);
  });

  it('waits for ever at 0 ms', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const bell = new Bell(clock);
    deadlines.set(bell, 100, 0);
    deadlines.set(bell, 0, 0);
    await clock.advance(1_000);
    expect(bell.rang).toBeUndefined();
    expect(clock.waiting).toBe(0);
  });

  it('has no timer while nothing waits', async () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    expect(clock.waiting).toBe(0);
    deadlines.set(new Bell(clock), 100, 0);
    deadlines.set(new Bell(clock), 200, 0);
    expect(clock.waiting).toBe(1);
    await clock.advance(1_000);
    expect(clock.waiting).toBe(0);
    deadlines.set(new Bell(clock), 100, clock.now());
    expect(clock.waiting).toBe(1);
  });

  it('calls nobody late right after the process itself stood still', () => {
    const clock = new StandingClock();
    const bell = new Bell(clock);
    new Deadlines(clock).set(bell, 1_000, 0);
    clock.stand(30_000);
    expect(bell.rang).toBeUndefined();
    // A machine that is always late must not keep everybody waiting for ever.
    clock.stand(30_000);
    expect(bell.rang).toBe(60_000);
  });

  it('does not count the time in which the process stood still, for whoever wants that', () => {
    const clock = new StandingClock();
    const deadlines = new Deadlines(clock);
    const [bell, plain] = [new PausingBell(clock), new Bell(clock)];
    deadlines.set(bell, 1_000, 0);
    deadlines.set(plain, 1_000, 0);
    clock.live(500);
    // Again and again, as on a machine that has too much to do.
    for (let times = 0; times < 5; times++) {
      clock.stand(850);
      clock.live(50);
    }
    expect(plain.rang).toBe(1_400);
    expect(bell.rang).toBe(5_000);
  });

  it('gives a wait that begins after a standstill, and before its sweep, all of its time', () => {
    const clock = new StandingClock();
    const deadlines = new Deadlines(clock);
    deadlines.set(new PausingBell(clock), 60_000, 0);
    clock.live(1_000);
    clock.time += 3_000;
    const bell = new PausingBell(clock);
    // As whoever begins many waits does, with the time of the last sweep.
    deadlines.set(bell, 200, deadlines.coarseNow);
    const fresh = new PausingBell(clock);
    deadlines.set(fresh, 300, clock.time);
    clock.sweep();
    clock.live(100);
    expect([bell.rang, fresh.rang]).toEqual([undefined, undefined]);
    clock.live(300);
    expect(bell.rang).toBe(4_150);
    expect(fresh.rang).toBe(4_300);
  });

  it('rings what is due and nothing else, whatever is set and cleared in whatever order', async () => {
    const step = fc.record({
      bell: fc.nat({ max: 7 }),
      ms: fc.constantFrom(50, 100, 300),
      act: fc.constantFrom('set', 'set', 'clear', 'advance'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new FakeClock();
        const deadlines = new Deadlines(clock);
        const bells = Array.from({ length: 8 }, (_, at) =>
          at % 2 === 0 ? new Bell(clock) : new PausingBell(clock),
        );
        const due = new Map<Bell, number>();
        for (const { bell: index, ms, act } of steps) {
          const bell = bells[index] as Bell;
          if (act === 'set') {
            deadlines.set(bell, ms, clock.now());
            bell.rang = undefined;
            due.set(bell, clock.now() + ms);
          } else if (act === 'clear') {
            deadlines.clear(bell);
            if (bell.rang === undefined) due.delete(bell);
          } else await clock.advance(ms);
          for (const [each, at] of due) {
            if (each.rang === undefined) expect(clock.now()).toBeLessThan(at + 100);
            else expect(each.rang).toBeGreaterThanOrEqual(at);
          }
          for (const each of bells) if (!due.has(each)) expect(each.rang).toBeUndefined();
        }
      }),
      { numRuns: 50 },
    );
  });

  it('counts for how long the process stood still, and already before the late sweep', () => {
    const clock = new StandingClock();
    const deadlines = new Deadlines(clock);
    expect(deadlines.stoodStill(clock.time)).toBe(0);
    deadlines.set(new Bell(new FakeClock()), 60_000, clock.time);
    clock.time = 50;
    clock.sweep();
    clock.time = 90;
    expect(deadlines.stoodStill(clock.time)).toBe(0);
    // It should have been swept at 100.
    clock.time = 400;
    expect(deadlines.stoodStill(clock.time)).toBe(300);
    clock.sweep();
    expect(deadlines.stoodStill(clock.time)).toBe(300);
    clock.time = 450;
    clock.sweep();
    expect(deadlines.stoodStill(clock.time)).toBe(300);
  });
});

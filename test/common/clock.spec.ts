import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../lib/common/clock.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

describe('the fake clock', () => {
  it('rings in order, lets promises settle in between, and repeats', async () => {
    const clock = new FakeClock();
    const rung: string[] = [];
    clock.after(200, () => rung.push(`once at ${clock.now()}`));
    clock.every(150, () => rung.push(`again at ${clock.now()}`));
    void clock.sleep(170).then(() => rung.push(`woke at ${clock.now()}`));
    await clock.advance(310);
    expect(rung).toEqual(['again at 150', 'woke at 170', 'once at 200', 'again at 300']);
  });

  it('forgets what was cancelled, and wakes sleepers whose signal aborts', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    clock.after(10, () => expect('this').toBe('cancelled'))();
    const sleep = clock.sleep(1_000, abort.signal);
    expect(clock.waiting).toBe(1);
    abort.abort();
    await sleep;
    expect(clock.waiting).toBe(0);
    await clock.sleep(1_000, abort.signal);
  });

  it('keeps the two kinds of time apart', async () => {
    const clock = new FakeClock(1_000);
    clock.shiftWallTime(-500);
    await clock.advance(20);
    expect([clock.now(), clock.wallTime()]).toEqual([20, 520]);
  });

  it('gives deadlines that abort in time, with their parent, or never', async () => {
    const clock = new FakeClock();
    const parent = new AbortController();
    const [late, followed, cancelled] = [
      clock.deadline(100),
      clock.deadline(900, parent.signal),
      clock.deadline(100),
    ];
    cancelled.cancel();
    await clock.advance(100);
    expect(late.signal.reason).toMatchObject({ name: 'TimeoutError' });
    expect(cancelled.signal.aborted).toBe(false);
    parent.abort(new Error('enough'));
    expect(followed.signal.reason).toEqual(new Error('enough'));
    expect(clock.deadline(5, parent.signal).signal.aborted).toBe(true);
    followed.cancel();
  });
});

describe('the system clock', () => {
  it('keeps real time', async () => {
    const clock = new SystemClock();
    const before = clock.now();
    await clock.sleep(5);
    expect(clock.now() - before).toBeGreaterThan(3);
    expect(Math.abs(clock.wallTime() - Date.now())).toBeLessThan(1_000);
    await new Promise<void>((resolve) => clock.after(1, resolve));
    await new Promise<void>((resolve) => {
      const stop = clock.every(1, () => {
        stop();
        resolve();
      });
    });
    await clock.sleep(60_000, AbortSignal.abort());
  });
});

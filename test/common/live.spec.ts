import { describe, expect, it } from '@jest/globals';
import { Live, NotReadyError } from '../../lib/common/live.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

/** A stream that a test feeds by hand. */
class Feed<T> {
  opened = 0;
  private queue: Array<{ value: T } | { error: Error } | 'end'> = [];
  private wake: () => void = () => {};

  push(value: T): void {
    this.put({ value });
  }

  fail(message: string): void {
    this.put({ error: new Error(message) });
  }

  end(): void {
    this.put('end');
  }

  private put(item: { value: T } | { error: Error } | 'end'): void {
    this.queue.push(item);
    this.wake();
  }

  async *open(signal: AbortSignal): AsyncGenerator<T> {
    this.opened++;
    signal.addEventListener('abort', () => this.wake(), { once: true });
    while (!signal.aborted) {
      const item = this.queue.shift();
      if (item === undefined) await new Promise<void>((resolve) => (this.wake = resolve));
      else if (item === 'end') return;
      else if ('error' in item) throw item.error;
      else yield item.value;
    }
  }
}

function setUp() {
  const clock = new FakeClock();
  const feed = new Feed<number>();
  const errors: unknown[] = [];
  const live = new Live<number>({
    clock,
    open: (signal) => feed.open(signal),
    onError: (error) => errors.push(error),
    onListenerError: (error) => errors.push(error),
  });
  return { clock, feed, live, errors };
}

describe('a live value', () => {
  it('throws until the first snapshot has come, then gives the newest', async () => {
    const { clock, feed, live } = setUp();
    expect(() => live.current).toThrow(NotReadyError);
    expect(live.latest).toBeUndefined();
    feed.push(1);
    await live.ready();
    expect(live.current).toBe(1);
    feed.push(2);
    await clock.advance(0);
    expect(live.current).toBe(2);
    live.close();
  });

  it('opens a stream that throws again, after a wait, and keeps the last value meanwhile', async () => {
    const { clock, feed, live, errors } = setUp();
    feed.push(1);
    await live.ready();
    feed.fail('away');
    await clock.advance(0);
    expect(live.current).toBe(1);
    expect(live.error).toEqual(new Error('away'));
    expect(feed.opened).toBe(1);
    feed.push(2);
    await clock.advance(200);
    expect(feed.opened).toBe(2);
    expect(live.current).toBe(2);
    expect(live.error).toBeUndefined();
    expect(errors).toHaveLength(1);
    live.close();
  });

  it('waits longer each time that it fails in a row', async () => {
    const { clock, feed, live } = setUp();
    for (let round = 0; round < 12; round++) feed.fail('away');
    await clock.advance(60_000);
    const soon = feed.opened;
    expect(soon).toBeGreaterThan(6);
    expect(soon).toBeLessThanOrEqual(13);
    live.close();
  });

  it('takes a stream that ends for finished', async () => {
    const { clock, feed, live } = setUp();
    feed.push(7);
    feed.end();
    await clock.advance(60_000);
    expect(feed.opened).toBe(1);
    expect(live.current).toBe(7);
    expect(clock.waiting).toBe(0);
    live.close();
  });

  it('tells every listener, also when one of them throws', async () => {
    const { clock, feed, live, errors } = setUp();
    const heard: number[] = [];
    live.onChange(() => {
      throw new Error('mine');
    });
    const stop = live.onChange((value) => heard.push(value));
    feed.push(1);
    feed.push(2);
    await clock.advance(0);
    stop();
    feed.push(3);
    await clock.advance(0);
    expect(heard).toEqual([1, 2]);
    expect(errors).toHaveLength(3);
    expect(live.current).toBe(3);
    live.close();
  });

  it('ends its stream and its waiting when closed', async () => {
    const { clock, feed, live } = setUp();
    feed.fail('away');
    await clock.advance(0);
    expect(clock.waiting).toBe(1);
    live.close();
    await clock.advance(60_000);
    expect(clock.waiting).toBe(0);
    expect(feed.opened).toBe(1);
    await live.ready();
  });
});

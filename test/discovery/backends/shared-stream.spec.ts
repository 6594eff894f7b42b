import { describe, expect, it } from '@jest/globals';
import { Newest } from '../../../lib/discovery/backends/newest.js';
import { SharedStream } from '../../../lib/discovery/backends/shared-stream.js';

const { signal } = new AbortController();

describe('SharedStream', () => {
  it('opens its source once for all readers, and again after the last has gone', async () => {
    let opened = 0;
    const source = new Newest<number>();
    const shared = new SharedStream((stopped) => {
      opened += 1;
      return source.read(stopped);
    });
    const [one, other] = [shared.read(signal), shared.read(signal)];
    const first = [one.next(), other.next()];
    source.push(1);
    expect(await Promise.all(first)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 1 },
    ]);
    const late = shared.read(signal);
    expect(await late.next()).toEqual({ done: false, value: 1 });
    expect(opened).toBe(1);
    await Promise.all([one, other, late].map((reader) => reader.return()));
    const again = shared.read(signal).next();
    source.push(2);
    expect(await again).toEqual({ done: false, value: 2 });
    expect(opened).toBe(2);
  });

  it('spares a reader the snapshots that do not concern it', async () => {
    const source = new Newest<number>();
    const shared = new SharedStream((stopped) => source.read(stopped));
    const all = shared.read(signal);
    const tens = shared.read(
      signal,
      (before, now) => Math.trunc(before / 10) !== Math.trunc(now / 10),
    );
    const firstTens = tens.next();
    let secondTens: ReturnType<typeof tens.next> | undefined;
    for (const value of [1, 2, 13, 14, 25]) {
      const next = all.next();
      source.push(value);
      await next;
      if (value === 1) expect(await firstTens).toEqual({ done: false, value: 1 });
      if (value === 2) secondTens = tens.next();
    }
    expect(await secondTens).toEqual({ done: false, value: 13 });
    expect(await tens.next()).toEqual({ done: false, value: 25 });
  });

  it('hands a failure to all readers, and opens anew for the next', async () => {
    const errors = [new Error('broken')];
    const shared = new SharedStream(async function* (): AsyncGenerator<string> {
      const error = errors.shift();
      if (error) throw error;
      yield 'well';
      await new Promise(() => {});
    });
    const readers = [shared.read(signal), shared.read(signal)];
    const failed = await Promise.allSettled(readers.map((reader) => reader.next()));
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await shared.read(signal).next()).toEqual({ done: false, value: 'well' });
  });
});

import { describe, expect, it } from '@jest/globals';
import { Newest } from '../../../lib/discovery/backends/newest.js';

describe('the newest value', () => {
  it('reaches the reader, and what it had no time for does not', async () => {
    const stopped = new AbortController();
    const newest = new Newest<number>();
    const seen: number[] = [];
    newest.push(1);
    newest.push(2);
    for await (const value of newest.read(stopped.signal)) {
      seen.push(value);
      if (value === 2) [3, 4].map((each) => newest.push(each));
      else stopped.abort();
    }
    expect(seen).toEqual([2, 4]);
  });

  it('comes before a failure', async () => {
    const newest = new Newest<number>();
    const stream = newest.read(new AbortController().signal);
    newest.push(1);
    newest.fail(new Error('broken'));
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    await expect(stream.next()).rejects.toThrow('broken');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('wakes a reader that waits, for a value, a failure and the end', async () => {
    const stopped = new AbortController();
    const newest = new Newest<number>();
    const stream = newest.read(stopped.signal);
    const value = stream.next();
    newest.push(7);
    expect(await value).toEqual({ done: false, value: 7 });
    const end = stream.next();
    stopped.abort();
    expect(await end).toEqual({ done: true, value: undefined });
    const broken = new Newest<number>();
    const failure = broken.read(new AbortController().signal).next();
    broken.fail(new Error('broken'));
    await expect(failure).rejects.toThrow('broken');
  });
});

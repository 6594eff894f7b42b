import { setImmediate as turnEnds } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type Flushable, FlushQueue } from '../../lib/upstream/flush-queue.js';

/** Items that note when they are flushed. */
function recorded() {
  const queue = new FlushQueue();
  const flushed: number[] = [];
  const item = (number: number): Flushable => ({ flush: () => void flushed.push(number) });
  const add = (from: number, to: number) => {
    for (let number = from; number <= to; number++) queue.add(item(number));
  };
  return { queue, flushed, item, add };
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('FlushQueue', () => {
  it('flushes when the turn of the event loop ends, in order, and once', async () => {
    const { flushed, add } = recorded();
    add(1, 3);
    await Promise.resolve();
    expect(flushed).toEqual([]);
    await turnEnds();
    expect(flushed).toEqual(upTo(3));
    await turnEnds();
    expect(flushed).toEqual(upTo(3));
  });

  it('does not make the first of many wait for the last', async () => {
    const { flushed, add } = recorded();
    add(1, 64);
    // Whoever adds itself may fill in what it holds afterwards.
    expect(flushed).toEqual([]);
    add(65, 70);
    expect(flushed).toEqual(upTo(64));
    await turnEnds();
    expect(flushed).toEqual(upTo(70));
  });

  it('flushes in the next turn what is added while it flushes', async () => {
    const { queue, flushed, item } = recorded();
    queue.add({ flush: () => queue.add(item(1)) });
    await turnEnds();
    expect(flushed).toEqual([]);
    await turnEnds();
    expect(flushed).toEqual([1]);
  });
});

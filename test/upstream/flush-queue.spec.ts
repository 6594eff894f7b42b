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

/** The same after a turn with many items, which makes those of the next wait. */
async function busy() {
  const recording = recorded();
  recording.add(1, 10);
  await turnEnds();
  recording.flushed.length = 0;
  return recording;
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

describe('FlushQueue', () => {
  it('flushes at once where turns have few items', async () => {
    const { flushed, add } = recorded();
    add(1, 3);
    expect(flushed).toEqual(upTo(3));
    await turnEnds();
    add(4, 6);
    expect(flushed).toEqual(upTo(6));
    await turnEnds();
    expect(flushed).toEqual(upTo(6));
  });

  it('lets those after the first few wait for the end of the turn', async () => {
    const { flushed, add } = recorded();
    add(1, 7);
    expect(flushed).toEqual(upTo(4));
    await turnEnds();
    expect(flushed).toEqual(upTo(7));
  });

  it('flushes when the turn of the event loop ends, in order, and once, after a turn with many', async () => {
    const { flushed, add } = await busy();
    add(1, 3);
    await Promise.resolve();
    expect(flushed).toEqual([]);
    await turnEnds();
    expect(flushed).toEqual(upTo(3));
    await turnEnds();
    expect(flushed).toEqual(upTo(3));
  });

  it('does not make the first of many wait for the last', async () => {
    const { flushed, add } = await busy();
    add(1, 63);
    expect(flushed).toEqual([]);
    add(64, 70);
    expect(flushed).toEqual(upTo(64));
    await turnEnds();
    expect(flushed).toEqual(upTo(70));
  });

  it('flushes in the next turn what is added while it flushes', async () => {
    const { queue, flushed, item, add } = await busy();
    queue.add({ flush: () => queue.add(item(4)) });
    add(1, 3);
    await turnEnds();
    expect(flushed).toEqual(upTo(3));
    await turnEnds();
    expect(flushed).toEqual(upTo(4));
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventLoopContributor } from '../../../lib/health/contributors/event-loop.contributor.js';
import { readHealthOptions } from '../../../lib/health/health.options.js';

let contributor: EventLoopContributor;

function watch(degraded: number, down: number): void {
  contributor = new EventLoopContributor(
    readHealthOptions({ eventLoop: { degraded, down } }, 'health'),
  );
  contributor.onModuleInit();
}

/** Keeps the event loop busy in turns of so many ms. */
async function block(turn: number, turns: number): Promise<void> {
  for (let done = 0; done < turns; done++) {
    const end = performance.now() + turn;
    while (performance.now() < end);
    await pause(1);
  }
}

beforeEach(() => watch(1_000, 2_000));
afterEach(() => contributor.onModuleDestroy());

describe('EventLoopContributor', () => {
  it('belongs to liveness alone', () => {
    expect(contributor.groups).toEqual(['liveness']);
  });

  it('is up before there is a figure, and while the loop keeps up', async () => {
    expect(contributor.check()).toEqual({ status: 'up' });
    await pause(100);
    expect(contributor.check()).toMatchObject({
      status: 'up',
      details: { delay: expect.any(String), longest: expect.any(String) },
    });
  });

  it.each([
    ['degraded', 40, 10_000],
    ['down', 20, 40],
  ])('is %s when the loop is slow on average', async (status, degraded, down) => {
    contributor.onModuleDestroy();
    watch(degraded, down);
    await block(150, 5);
    expect(contributor.check().status).toBe(status);
  });

  it('forgets what was before the last check', async () => {
    contributor.onModuleDestroy();
    // Far from what a busy machine adds by itself.
    watch(200, 10_000);
    await block(800, 3);
    expect(contributor.check().status).toBe('degraded');
    await pause(500);
    expect(contributor.check().status).toBe('up');
  });
});

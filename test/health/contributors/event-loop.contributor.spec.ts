import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventLoopContributor } from '../../../lib/health/contributors/event-loop.contributor.js';
import { readHealthOptions } from '../../../lib/health/health.options.js';
import { eventually } from '../../support/eventually.js';

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

  it('is up before there is a figure', () => {
    const fresh = new EventLoopContributor(readHealthOptions(undefined, 'health'));
    expect(fresh.check()).toEqual({ status: 'up' });
  });

  it('is up while the loop keeps up, with its figures', async () => {
    await eventually(async () => {
      // Every look begins anew, and the first figure takes a while.
      await pause(60);
      expect(contributor.check()).toEqual({
        status: 'up',
        details: { delay: expect.any(String), longest: expect.any(String) },
      });
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

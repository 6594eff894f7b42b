import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventHub } from '../../lib/common/event-hub.js';

declare module '../../lib/common/event-hub.js' {
  interface RookeryEvents {
    'test.happened': { readonly n: number };
  }
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('the event hub', () => {
  it('tells those who asked, and those who ask for all, until they stop', () => {
    const events = new EventHub();
    const heard: unknown[] = [];
    const stop = events.on('test.happened', (event) => heard.push(event.n));
    const stopAll = events.onAny((name, event) => heard.push([name, event]));
    events.emit('test.happened', { n: 1 });
    stop();
    events.emit('test.happened', { n: 2 });
    stopAll();
    events.emit('test.happened', { n: 3 });
    expect(heard).toEqual([1, ['test.happened', { n: 1 }], ['test.happened', { n: 2 }]]);
  });

  it('knows whether anyone hears of something', () => {
    const events = new EventHub();
    expect(events.hears('test.happened')).toBe(false);
    const stop = events.on('test.happened', () => {});
    expect(events.hears('test.happened')).toBe(true);
    stop();
    expect(events.hears('test.happened')).toBe(false);
    const stopAll = events.onAny(() => {});
    expect(events.hears('test.happened')).toBe(true);
    stopAll();
    expect(events.hears('test.happened')).toBe(false);
  });

  it('goes on when a listener throws, and logs it', () => {
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
    const events = new EventHub();
    const heard: number[] = [];
    events.on('test.happened', () => {
      throw new Error('mine');
    });
    events.on('test.happened', ({ n }) => heard.push(n));
    events.emit('test.happened', { n: 1 });
    expect(heard).toEqual([1]);
    expect(log).toHaveBeenCalledWith(
      'A listener of "test.happened" threw',
      expect.stringContaining('mine'),
    );
  });
});

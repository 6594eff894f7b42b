import { describe, expect, it } from '@jest/globals';
import { LogLevels } from '../../lib/telemetry/log-levels.js';

describe('the levels of logs', () => {
  it('are those of the root, but for contexts that have one of their own', () => {
    const levels = new LogLevels('info');
    levels.set('Orders', 'debug');
    levels.set('Noise', 'silent');
    expect(levels.writes('debug', 'Orders')).toBe(true);
    expect(levels.writes('trace', 'Orders')).toBe(false);
    expect(levels.writes('debug', 'Other')).toBe(false);
    expect(levels.writes('info', undefined)).toBe(true);
    expect(levels.writes('fatal', 'Noise')).toBe(false);
    expect(levels.given('Other')).toBeUndefined();
    expect(levels.of('Other')).toBe('info');
  });

  it('say before anything is made whether a line may be written at all', () => {
    const levels = new LogLevels('warn');
    expect(levels.mayWrite('debug')).toBe(false);
    levels.set('Orders', 'debug');
    expect(levels.mayWrite('debug')).toBe(true);
    levels.set('Orders', undefined);
    expect(levels.mayWrite('debug')).toBe(false);
    levels.root = 'trace';
    expect(levels.mayWrite('trace')).toBe(true);
  });

  it('know the contexts that were heard of, and no more than a thousand', () => {
    const levels = new LogLevels('info');
    for (let n = 0; n < 1_500; n++) levels.writes('info', `Context${n}`);
    expect(levels.contexts()).toHaveLength(1_000);
    levels.set('Late', 'debug');
    expect(levels.contexts()).toContain('Late');
    expect(levels.writes('info', 'Context1400')).toBe(true);
  });
});

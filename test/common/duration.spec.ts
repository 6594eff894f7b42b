import { describe, expect, it } from '@jest/globals';
import { formatDuration, milliseconds, parseDuration } from '../../lib/common/duration.js';

describe('a duration', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    [' 5 s ', 5_000],
    [0, 0],
    [75, 75],
  ])('reads %p as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['5', '5 sec', 's', '-1s', '', '1e3s', NaN, Infinity, -1, null, {}, undefined])(
    'does not take %p for one',
    (value) => {
      expect(parseDuration(value)).toBeUndefined();
    },
  );

  it('throws with the text when asked for milliseconds of nonsense', () => {
    expect(() => milliseconds('soon' as '1s')).toThrow('"soon" is no duration');
  });

  it.each([
    [250, '250ms'],
    [10_000, '10s'],
    [90_000, '90s'],
    [120_000, '2m'],
    [1_250, '1.3s'],
    [86_400_000, '1d'],
  ])('is shown to people: %d as %p', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

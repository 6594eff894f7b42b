import { describe, expect, it } from '@jest/globals';
import { readHealthOptions } from '../../lib/health/health.options.js';

describe('the options of health', () => {
  it('have their defaults', () => {
    expect(readHealthOptions(undefined, 'health')).toEqual({
      name: undefined,
      version: undefined,
      interval: 5_000,
      timeout: 2_000,
      details: 'local',
      indicators: [],
      eventLoop: { degraded: 100, down: 2_000 },
      failureThreshold: 2,
      successThreshold: 1,
      groups: {},
      terminus: false,
    });
  });

  it.each([
    [{ intervall: '5s' }, 'health.intervall is not an option. Did you mean "interval"?'],
    [
      { timeout: '6s' },
      'health.timeout is longer than the interval. Make it shorter, or the interval longer.',
    ],
    [{ interval: '1ms' }, 'health.interval is 1ms. Make it at least 100ms.'],
    [{ details: 'all' }, "health.details is 'all'. Make it 'local' or 'always' or 'never'."],
    [
      { indicators: [() => ({})] },
      'health.indicators[0] is a function. It must be a HealthContributor, such as terminusIndicator(…).',
    ],
    [
      { groups: { live: [] } },
      "health.groups.live is an endpoint of its own. The group is called 'liveness'.",
    ],
    [
      { eventLoop: { degraded: '3s' } },
      'health.eventLoop.degraded is more than eventLoop.down. Make it less.',
    ],
  ])('refuse %j', (options, sentence) => {
    expect(() => readHealthOptions(options, 'health')).toThrow(sentence);
  });
});

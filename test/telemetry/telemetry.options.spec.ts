import { describe, expect, it } from '@jest/globals';
import { readTelemetryOptions } from '../../lib/telemetry/telemetry.options.js';

describe('the options of telemetry', () => {
  it('have their defaults', () => {
    expect(readTelemetryOptions(undefined, {})).toMatchObject({ level: 'info' });
    expect(readTelemetryOptions({ destination: { write: () => {} } }, {}).pretty).toBe(false);
  });

  it('take the level from the environment, unless it is given', () => {
    expect(readTelemetryOptions({}, { LOG_LEVEL: 'debug' }).level).toBe('debug');
    expect(readTelemetryOptions({}, { LOG_LEVEL: '' }).level).toBe('info');
    expect(readTelemetryOptions({ level: 'warn' }, { LOG_LEVEL: 'debug' }).level).toBe('warn');
  });

  it('are refused with path and remedy', () => {
    expect(() => readTelemetryOptions({}, { LOG_LEVEL: 'loud' })).toThrow(/^LOG_LEVEL is 'loud'/);
    expect(() => readTelemetryOptions({ destination: {} as never })).toThrow(
      'telemetry.destination is an object. It must be an object with a write method, such as a stream.',
    );
    expect(() => readTelemetryOptions({ levle: 'info' } as never)).toThrow(
      'telemetry.levle is not an option. Did you mean "level"?',
    );
  });
});

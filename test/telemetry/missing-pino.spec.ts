import { describe, expect, it, jest } from '@jest/globals';
import { Test } from '@nestjs/testing';

jest.unstable_mockModule('pino', () => {
  throw Object.assign(new Error("Cannot find package 'pino'"), { code: 'ERR_MODULE_NOT_FOUND' });
});

describe('TelemetryModule without pino', () => {
  it('stops the start with the remedy', async () => {
    const { TelemetryModule } = await import('../../lib/telemetry/telemetry.module.js');
    const started = Test.createTestingModule({
      imports: [TelemetryModule.forRoot({ name: 'orders' })],
    }).compile();
    await expect(started).rejects.toThrow(
      'TelemetryModule logs with pino, which is not installed. Run `npm install pino`, or leave TelemetryModule out.',
    );
  });
});

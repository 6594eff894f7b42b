import { describe, expect, it } from '@jest/globals';
import { HealthIndicatorService } from '@nestjs/terminus';
import {
  terminusIndicator,
  type TerminusResult,
} from '../../../lib/health/contributors/terminus.contributor.js';

const { signal } = new AbortController();
const terminus = new HealthIndicatorService();

describe('terminusIndicator', () => {
  it.each(['up', 'degraded', 'down'] as const)(
    'says that an indicator is %s, and why',
    async (status) => {
      const contributor = terminusIndicator('db', () => ({ db: { status, rows: 3 } }));
      expect(await contributor.check(signal)).toEqual({ status, details: { rows: 3 } });
    },
  );

  it('says nothing more when an indicator has no data', async () => {
    const contributor = terminusIndicator('db', () => terminus.check('db').up());
    expect(await contributor.check(signal)).toEqual({ status: 'up' });
  });

  it('runs an attempt of Terminus 12', async () => {
    const contributor = terminusIndicator('db', () =>
      terminus
        .check('db')
        .attempt(() => Promise.reject(new Error('refused')))
        .withTimeout(50),
    );
    expect(await contributor.check(signal)).toMatchObject({
      status: 'down',
      details: { message: 'refused' },
    });
  });

  it('reads the result that an indicator of Terminus 10 throws inside of its error', async () => {
    const contributor = terminusIndicator('db', () => {
      throw Object.assign(new Error('Health Check failed'), {
        causes: { db: { status: 'down', message: 'refused' } },
      });
    });
    expect(await contributor.check(signal)).toEqual({
      status: 'down',
      details: { message: 'refused' },
    });
  });

  it('takes whatever else is thrown as down', async () => {
    const contributor = terminusIndicator('db', () => Promise.reject(new Error('boom')));
    expect(await contributor.check(signal)).toEqual({
      status: 'down',
      details: { reason: 'boom' },
    });
  });

  it('takes the worst of several keys', async () => {
    const result: TerminusResult = { a: { status: 'up' }, b: { status: 'down', why: 'x' } };
    const contributor = terminusIndicator('both', () => result);
    expect(await contributor.check(signal)).toEqual({ status: 'down', details: result });
  });

  it('hands the signal on, and counts as its options say', () => {
    let given: AbortSignal | undefined;
    const contributor = terminusIndicator(
      'db',
      (passed) => {
        given = passed;
        return terminus.check('db').up();
      },
      { critical: false, groups: ['liveness'] },
    );
    void contributor.check(signal);
    expect(given).toBe(signal);
    expect(contributor.critical).toBe(false);
    expect(contributor.groups).toEqual(['liveness']);
  });
});

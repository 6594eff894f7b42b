import { describe, expect, it } from '@jest/globals';
import { HealthCheck } from '../../lib/health/health-check.js';
import { HealthContributor, type HealthReport } from '../../lib/health/health-contributor.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

const never = new AbortController().signal;

class Scripted extends HealthContributor {
  override readonly name = 'scripted';
  calls = 0;
  signal: AbortSignal | undefined;

  constructor(
    public answer: () => HealthReport | Promise<HealthReport>,
    override readonly critical = true,
  ) {
    super();
  }

  override check(signal: AbortSignal): HealthReport | Promise<HealthReport> {
    this.calls += 1;
    this.signal = signal;
    return this.answer();
  }
}

const up = (): HealthReport => ({ status: 'up' });
const down = (): HealthReport => ({ status: 'down' });

describe('HealthCheck', () => {
  it('counts a down of something that was well from the second in a row', async () => {
    const contributor = new Scripted(up);
    const check = new HealthCheck(contributor, new FakeClock());
    await check.run(100, never);
    contributor.answer = down;
    await check.run(100, never);
    expect(check.report.status).toBe('down');
    expect(check.weight).toBe('degraded');
    await check.run(100, never);
    expect(check.weight).toBe('down');
  });

  it('counts one success as well again', async () => {
    const contributor = new Scripted(down);
    const check = new HealthCheck(contributor, new FakeClock());
    await check.run(100, never);
    await check.run(100, never);
    contributor.answer = up;
    await check.run(100, never);
    expect(check.weight).toBe('up');
    contributor.answer = down;
    await check.run(100, never);
    expect(check.weight).toBe('degraded');
  });

  it('counts a down at once while it has never been well', async () => {
    const check = new HealthCheck(new Scripted(down), new FakeClock());
    await check.run(100, never);
    expect(check.hasSucceeded).toBe(false);
    expect(check.weight).toBe('down');
  });

  it('lets what is not critical make the service degraded at most', async () => {
    const check = new HealthCheck(new Scripted(down, false), new FakeClock());
    await check.run(100, never);
    await check.run(100, never);
    expect(check.weight).toBe('degraded');
  });

  it('takes a check that throws, or rejects, or answers nonsense, as down with its reason', async () => {
    const contributor = new Scripted(() => {
      throw new Error('no route');
    });
    const check = new HealthCheck(contributor, new FakeClock());
    await check.run(100, never);
    expect(check.report).toEqual({ status: 'down', details: { reason: 'no route' } });
    contributor.answer = () => Promise.reject(new Error('refused'));
    await check.run(100, never);
    expect(check.report).toEqual({ status: 'down', details: { reason: 'refused' } });
    contributor.answer = () => JSON.parse('{"status":"fine"}') as HealthReport;
    await check.run(100, never);
    expect(check.report.details).toEqual({ reason: 'the check answered no health report' });
  });

  it('gives up a check that takes too long, tells it so, and does not ask it again before it is done', async () => {
    const clock = new FakeClock();
    const finish: ((report: HealthReport) => void)[] = [];
    const contributor = new Scripted(() => new Promise((resolve) => finish.push(resolve)));
    const check = new HealthCheck(contributor, clock);

    const first = check.run(2_000, never);
    await clock.advance(2_000);
    await first;
    expect(check.report).toEqual({ status: 'down', details: { reason: 'no answer within 2s' } });
    expect(contributor.signal?.aborted).toBe(true);

    await check.run(2_000, never);
    expect(contributor.calls).toBe(1);
    expect(check.report.status).toBe('down');

    finish[0]?.({ status: 'up' });
    await clock.advance(0);
    expect(check.report.status).toBe('down');
    contributor.answer = up;
    await check.run(2_000, never);
    expect(contributor.calls).toBe(2);
    expect(check.report.status).toBe('up');
    expect(clock.waiting).toBe(0);
  });

  it('asks again when the check ended because its time was over', async () => {
    const clock = new FakeClock();
    const contributor = new Scripted(up);
    contributor.answer = () =>
      new Promise((_, reject) => {
        contributor.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const check = new HealthCheck(contributor, clock);
    for (let round = 1; round <= 2; round++) {
      const running = check.run(2_000, never);
      await clock.advance(2_000);
      await running;
      expect(contributor.calls).toBe(round);
      expect(check.report.status).toBe('down');
    }
  });

  it('takes a second question for the first while that is in its time', async () => {
    const clock = new FakeClock();
    const contributor = new Scripted(() => new Promise(() => {}));
    const check = new HealthCheck(contributor, clock);
    void check.run(2_000, never);
    await check.run(2_000, never);
    expect(contributor.calls).toBe(1);
    expect(check.report.status).toBe('up');
  });

  it('says nothing new once the application has stopped', async () => {
    const stopped = new AbortController();
    const check = new HealthCheck(new Scripted(() => new Promise(() => {})), new FakeClock());
    const running = check.run(2_000, stopped.signal);
    stopped.abort();
    await running;
    expect(check.report).toEqual({ status: 'up' });
  });
});

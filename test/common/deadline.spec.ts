import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CommonModule } from '../../lib/common/common.module.js';
import { grantedOf, RequestContext } from '../../lib/common/request-context.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { eventually } from '../support/eventually.js';

@Controller()
class Late {
  constructor(private readonly context: RequestContext) {}

  @Get()
  left() {
    const { timeLeft, signal } = this.context;
    return { timeLeft: timeLeft ?? null, signal: signal instanceof AbortSignal };
  }
}

/** Requests that wait until they are told, and how their signals are. */
const waiting: { signal: AbortSignal | undefined; finish: () => void }[] = [];

@Controller('wait')
class Waiting {
  constructor(private readonly context: RequestContext) {}

  @Get()
  wait() {
    const { signal } = this.context;
    return new Promise<string>((resolve) => {
      waiting.push({ signal, finish: () => resolve('done') });
    });
  }
}

let app: INestApplication | undefined;
afterAll(() => app?.close());

async function origin(): Promise<string> {
  if (!app) {
    const module = await Test.createTestingModule({
      imports: [CommonModule],
      controllers: [Late, Waiting],
    }).compile();
    app = module.createNestApplication();
    await app.listen(0, '127.0.0.1');
  }
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return `http://127.0.0.1:${port}`;
}

async function ask(header?: string): Promise<{ status: number; body: unknown }> {
  const headers: Record<string, string> =
    header === undefined ? {} : { 'x-rookery-deadline': header };
  const answer = await fetch(`${await origin()}/`, { headers });
  return { status: answer.status, body: await answer.json() };
}

describe('a request with a deadline', () => {
  it('knows how much time is left, and has a signal', async () => {
    const { body } = await ask('60000');
    const { timeLeft, signal } = body as { timeLeft: number; signal: boolean };
    expect(timeLeft).toBeGreaterThan(50_000);
    expect(timeLeft).toBeLessThanOrEqual(60_000);
    expect(signal).toBe(true);
  });

  it('is refused with 504 when it is late already', async () => {
    const { status, body } = await ask('0');
    expect(status).toBe(504);
    expect(body).toMatchObject({ status: 504, title: 'Gateway Timeout' });
  });

  it.each([undefined, '', '-5', 'soon', '1.5', '99999999999'])('%s is none', async (header) => {
    expect(await ask(header)).toEqual({ status: 200, body: { timeLeft: null, signal: false } });
  });

  it('aborts one and the same signal when its time is over', async () => {
    const clock = new FakeClock();
    const context = new RequestContext(clock);
    const scope = context.open({ 'x-rookery-deadline': '100' });
    const signal = context.run(scope, () => context.signal);
    expect(context.run(scope, () => context.signal)).toBe(signal);
    await clock.advance(60);
    expect(context.run(scope, () => context.timeLeft)).toBe(40);
    expect(context.isLate(scope)).toBe(false);
    await clock.advance(40);
    expect(signal?.aborted).toBe(true);
    expect(context.isLate(scope)).toBe(true);
  });

  it('aborts its signal when its caller hangs up, and not when it was answered', async () => {
    const url = `${await origin()}/wait`;
    const caller = new AbortController();
    const headers = { 'x-rookery-deadline': '60000' };
    const [given, answered] = [
      fetch(url, { headers, signal: caller.signal }).catch(() => 'given up'),
      fetch(url, { headers }),
    ];
    await eventually(() => expect(waiting).toHaveLength(2));
    expect(waiting.map(({ signal }) => signal?.aborted)).toEqual([false, false]);
    caller.abort();
    expect(await given).toBe('given up');
    await eventually(() =>
      expect(waiting.filter(({ signal }) => signal?.aborted === true)).toHaveLength(1),
    );
    for (const { finish } of waiting) finish();
    expect(await (await answered).text()).toBe('done');
    // Once the answer is out, what goes on by itself has its time until the deadline.
    expect(waiting.filter(({ signal }) => signal?.aborted === true)).toHaveLength(1);
  });

  it('has a signal that knows when it is late, although the process stood still', () => {
    class Standing extends FakeClock {
      time = 0;
      override now(): number {
        return this.time;
      }
    }
    const clock = new Standing();
    const context = new RequestContext(clock);
    const scope = context.open({ 'x-rookery-deadline': '100' });
    expect(context.run(scope, () => context.signal?.aborted)).toBe(false);
    clock.time = 101;
    const reason = context.run(scope, () => context.signal?.reason as unknown);
    expect(reason).toMatchObject({ name: 'TimeoutError' });
  });

  it.each([
    [1_000, 975],
    [200, 190],
    [100, 95],
    [20, 19],
    [0.4, 0],
    [0, 0],
    [-5, 0],
  ])('of %i ms grants its callees %i, so that their answers are back in time', (left, granted) => {
    expect(grantedOf(left)).toBe(granted);
  });
});

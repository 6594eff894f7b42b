import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CommonModule } from '../../lib/common/common.module.js';
import { RequestContext } from '../../lib/common/request-context.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';

@Controller()
class Late {
  constructor(private readonly context: RequestContext) {}

  @Get()
  left() {
    const { timeLeft, signal } = this.context;
    return { timeLeft: timeLeft ?? null, signal: signal instanceof AbortSignal };
  }
}

let app: INestApplication | undefined;
afterAll(() => app?.close());

async function ask(header?: string): Promise<{ status: number; body: unknown }> {
  if (!app) {
    const module = await Test.createTestingModule({
      imports: [CommonModule],
      controllers: [Late],
    }).compile();
    app = module.createNestApplication();
    await app.listen(0, '127.0.0.1');
  }
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const headers: Record<string, string> =
    header === undefined ? {} : { 'x-rookery-deadline': header };
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers });
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
});

import { afterEach, describe, expect, it } from '@jest/globals';
import type { EndedCall } from '../../lib/upstream/upstream.events.js';
import type { UpstreamOptions } from '../../lib/upstream/upstream.options.js';
import { consistentHash, stickyBy } from '../../lib/load-balancing/strategies/built-in.js';
import { eventually } from '../support/eventually.js';
import { type RawRequest, RawServer } from './raw-server.js';
import { StandingClock } from './standing-clock.js';
import { UpstreamFixture } from './upstream-fixture.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function serve(answer: (request: RawRequest) => void): Promise<RawServer> {
  const server = await RawServer.listen(answer);
  opened.push(() => server.kill());
  return server;
}

function reach(ports: readonly number[], options: UpstreamOptions = {}): UpstreamFixture {
  const fixture = new UpstreamFixture(ports, options);
  opened.push(() => fixture.close());
  return fixture;
}

const ok = ({ socket }: RawRequest) => void socket.write(OK);
const status =
  (code: number, more = '') =>
  ({ socket }: RawRequest) =>
    void socket.write(`HTTP/1.1 ${code} No\r\n${more}content-length: 0\r\n\r\n`);
const slow = ({ socket }: RawRequest) => void setTimeout(() => socket.write(OK), 150);
const ROUND: UpstreamOptions = { strategy: 'round-robin', outlier: false };

describe('an answer that says that this instance cannot', () => {
  it.each([502, 503, 504])(
    'of %i to a GET is thrown away for that of another instance',
    async (code) => {
      const [bad, good] = [await serve(status(code)), await serve(ok)];
      const fixture = reach([bad.port, good.port], ROUND);
      for (let i = 0; i < 4; i++) {
        const call = await fixture.call().ended;
        expect([call.status, call.heard]).toEqual([200, ['head', 'body', 'end']]);
      }
      expect(fixture.happened).toContain('call.retried');
    },
  );

  it('is passed on when the request must not be sent twice, has Retry-After, or is a 500', async () => {
    const [one, other] = [await serve(status(503)), await serve(status(503))];
    const fixture = reach([one.port, other.port], ROUND);
    expect((await fixture.call({ method: 'POST', body: 'x' }).ended).status).toBe(503);
    const later = status(503, 'Retry-After: 1\r\n');
    const [shy, coy] = [await serve(later), await serve(later)];
    const second = reach([shy.port, coy.port], ROUND);
    expect((await second.call().ended).status).toBe(503);
    const [broken, alsoBroken] = [await serve(status(500)), await serve(status(500))];
    const third = reach([broken.port, alsoBroken.port], ROUND);
    expect((await third.call().ended).status).toBe(500);
    for (const each of [fixture, second, third])
      expect(each.happened).not.toContain('call.retried');
  });

  it('of every instance costs no more retries than the budget has', async () => {
    const bad = [await serve(status(503)), await serve(status(503)), await serve(status(503))];
    const fixture = reach(
      bad.map(({ port }) => port),
      { ...ROUND, circuit: false },
    );
    const calls = 400;
    for (let i = 0; i < calls; i++) expect((await fixture.call().ended).status).toBe(503);
    const sent = bad.reduce((sum, { requests }) => sum + requests.length, 0);
    expect(sent).toBeLessThanOrEqual(calls * 1.2 + 30);
    expect(sent).toBeGreaterThan(calls * 1.2);
  });
});

describe('an endpoint that answers nobody', () => {
  it('loses its GETs to another one, although it could still answer in time', async () => {
    const [frozen, good] = [await serve(() => {}), await serve(ok)];
    const fixture = reach([frozen.port, good.port], { ...ROUND, retry: { silence: '60ms' } });
    const calls = [fixture.call(), fixture.call()];
    const first = await Promise.race(calls.map((call) => call.ended));
    expect(first.status).toBe(200);
    // Its peer has answered since; that is what tells silence from slowness.
    await fixture.call().ended;
    const ends = await Promise.all(calls.map((call) => call.ended));
    expect(ends.map((call) => [call.status, call.sends])).toContainEqual([200, 2]);
  });

  it('keeps them while its peers are silent too, and while it answers others', async () => {
    const [one, other] = [await serve(slow), await serve(slow)];
    const fixture = reach([one.port, other.port], { ...ROUND, retry: { silence: '50ms' } });
    const call = await fixture.call().ended;
    expect([call.status, call.sends]).toEqual([200, 1]);
  });
});

describe('calls that wait for a silent endpoint', () => {
  it('do not count as load of the service, so that nobody else is refused for them', async () => {
    const [frozen, good] = [await serve(() => {}), await serve(ok)];
    const fixture = reach([frozen.port, good.port], { ...ROUND, retry: { silence: '50ms' } });
    const posts = Array.from({ length: 6 }, () => fixture.call({ method: 'POST', body: 'x' }));
    await fixture.call().ended;
    const stuck = () => posts.filter((post) => post.status === 0).length;
    await eventually(() => expect(stuck()).toBe(3));
    await fixture.call().ended;
    // A POST stays where it is: it must not be carried out twice.
    expect(posts.every((post) => post.sends === 1)).toBe(true);
    await eventually(() => expect(fixture.upstream.limit?.waiting).toBe(0));
    for (const post of posts) fixture.upstream.cancel(post);
    expect(fixture.upstream.limit?.waiting).toBe(0);
  });
});

describe('an Idempotency-Key', () => {
  it('lets a POST be sent again', async () => {
    const [bad, good] = [await serve(status(503)), await serve(ok)];
    const fixture = reach([bad.port, good.port], ROUND);
    for (let i = 0; i < 4; i++) {
      const headers = { 'Idempotency-Key': `key-${i}` };
      const answer = await fixture.upstream.request({
        method: 'POST',
        path: '/',
        body: 'x',
        headers,
      });
      expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
    }
    expect(bad.requests.length).toBeGreaterThan(0);
  });
});

describe('a strategy with a key', () => {
  it('leads a client back by the cookie that it was given', async () => {
    const [one, other] = [await serve(ok), await serve(ok)];
    const fixture = reach([one.port, other.port], { strategy: stickyBy({ cookie: 'at' }) });
    const first = await fixture.upstream.request({ path: '/' });
    const cookie = String(first.headers['set-cookie']?.[0]).split(';')[0];
    await first.text();
    expect(cookie).toMatch(/^at=\w+$/);
    const before = [one.requests.length, other.requests.length];
    for (let i = 0; i < 6; i++) {
      const again = await fixture.upstream.request({ path: '/', headers: { cookie } });
      expect(again.headers['set-cookie']).toBeUndefined();
      await again.text();
    }
    const after = [one.requests.length, other.requests.length];
    expect(after.map((count, at) => count - (before[at] ?? 0)).toSorted((a, b) => a - b)).toEqual([
      0, 6,
    ]);
  });

  it('brings the same header to the same instance', async () => {
    const all = [await serve(ok), await serve(ok), await serve(ok)];
    const fixture = reach(
      all.map(({ port }) => port),
      {
        strategy: consistentHash({ header: 'x-user' }),
      },
    );
    for (let i = 0; i < 5; i++) {
      await (await fixture.upstream.request({ path: '/', headers: { 'X-User': 'ann' } })).text();
    }
    expect(all.map(({ requests }) => requests.length).toSorted((a, b) => a - b)).toEqual([0, 0, 5]);
  });
});

describe('hedging', () => {
  it('asks a second instance when the first takes long, and gives the slower one up', async () => {
    const [slow, good] = [await serve(() => {}), await serve(ok)];
    const fixture = reach([slow.port, good.port], { ...ROUND, hedge: { after: '40ms' } });
    const answers = await Promise.all(
      [1, 2].map(async () => (await fixture.upstream.request({ path: '/' })).status),
    );
    expect(answers).toEqual([200, 200]);
    await eventually(() => expect(slow.sockets.size).toBe(0));
    expect(fixture.balancer.endpoints.every(({ active }) => active === 0)).toBe(true);
  });
});

describe('a deadline', () => {
  it('is told to the service, ends the call, and is never asked for more', async () => {
    const server = await serve(() => {});
    const fixture = reach([server.port]);
    const { context } = fixture;
    const scope = context.open({ 'x-rookery-deadline': '120' });
    const call = context.run(scope, () => fixture.upstream.request({ path: '/', timeout: '5s' }));
    await expect(call).rejects.toMatchObject({ code: 'ERR_UPSTREAM_TIMEOUT' });
    const told = /x-rookery-deadline: (\d+)/.exec(server.requests[0]?.head ?? '')?.[1];
    expect(Number(told)).toBeGreaterThan(0);
    // Of 120 ms, 6 are kept for the way back.
    expect(Number(told)).toBeLessThanOrEqual(114);
    await expect(
      context.run(scope, () => fixture.upstream.request({ path: '/' })),
    ).rejects.toMatchObject({ code: 'ERR_DEADLINE_EXCEEDED', statusCode: 504 });
    expect(server.requests).toHaveLength(1);
  });

  it('takes the calls with it when who has set it hangs up before', async () => {
    const server = await serve(() => {});
    const fixture = reach([server.port]);
    const { context } = fixture;
    const scope = context.open({ 'x-rookery-deadline': '60000' });
    const ask = () => context.run(scope, () => fixture.upstream.request({ path: '/' }));
    const call = ask();
    await eventually(() => expect(server.requests).toHaveLength(1));
    context.end(scope, false);
    await expect(call).rejects.toMatchObject({ code: 'ERR_CALL_CANCELLED' });
    await eventually(() => expect(server.sockets.size).toBe(0));
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_CALL_CANCELLED' });
    expect(server.requests).toHaveLength(1);
    expect(fixture.circuit?.state).toBe('closed');
  });

  it('hurts nobody and costs no retry when the service answers 504 for it', async () => {
    const clock = new StandingClock();
    const waiting: (() => void)[] = [];
    const answer = ({ socket }: RawRequest) =>
      void waiting.push(() => socket.write('HTTP/1.1 504 Late\r\ncontent-length: 0\r\n\r\n'));
    const ports = [(await serve(answer)).port, (await serve(answer)).port];
    const fixture = new UpstreamFixture(ports, { circuit: { minimumCalls: 1 } }, clock);
    opened.push(() => fixture.close());
    const ask = async (after: number, more = 0) => {
      const scope = fixture.context.open({ 'x-rookery-deadline': '1000' });
      const call = fixture.context.run(scope, () => fixture.upstream.request({ path: '/' }));
      for (let answers = 0; answers <= more; answers++) {
        await eventually(() => expect(waiting).toHaveLength(1));
        clock.time += after;
        waiting.pop()?.();
      }
      const { status } = await (await call).text().then(() => call);
      return { status, circuit: fixture.circuit?.state, sent: fixture.happened };
    };
    // Each service on the way keeps a little of it back.
    expect(await ask(900)).toEqual({ status: 504, circuit: 'closed', sent: [] });
    expect(fixture.endpoint(0).consecutiveFailures + fixture.endpoint(1).consecutiveFailures).toBe(
      0,
    );
    // One that gave up long before has failed, and another is asked.
    expect(await ask(100, 1)).toMatchObject({ status: 504, circuit: 'open' });
    expect(fixture.happened).toContain('call.retried');
  });

  it('lets nothing be sent anew once it has come, although no timer has told yet', async () => {
    const clock = new StandingClock();
    const servers = [0, 1].map(() => serve(({ socket }) => void socket.resetAndDestroy()));
    const [one, other] = await Promise.all(servers);
    const ports = [one?.port ?? 0, other?.port ?? 0];
    const fixture = new UpstreamFixture(ports, {}, clock);
    opened.push(() => fixture.close());
    const scope = fixture.context.open({ 'x-rookery-deadline': '100' });
    const call = fixture.context.run(scope, () => fixture.upstream.request({ path: '/' }));
    clock.time += 101;
    await expect(call).rejects.toThrow();
    expect(fixture.happened).not.toContain('call.retried');
  });
});

describe('call.ended', () => {
  it('tells once of each call, how it ended and where', async () => {
    const server = await serve(ok);
    const fixture = reach([server.port]);
    const heard: EndedCall[] = [];
    fixture.events.on('call.ended', (event) => heard.push(event));
    await fixture.call().ended;
    await fixture.upstream.request({ path: '/' }).then((answer) => answer.text());
    expect(heard).toHaveLength(2);
    expect(heard[0]).toMatchObject({
      service: 'orders',
      method: 'GET',
      outcome: 'success',
      status: 200,
      retries: 0,
      endpoint: fixture.endpoint(),
    });
    await server.kill();
    await fixture.call().ended;
    expect(heard[2]).toMatchObject({ outcome: 'failure', status: 0 });
    fixture.upstream.circuit?.forceOpen();
    await fixture.call().ended;
    expect(heard[3]).toMatchObject({ outcome: 'refused', error: { code: 'ERR_CIRCUIT_OPEN' } });
  });
});

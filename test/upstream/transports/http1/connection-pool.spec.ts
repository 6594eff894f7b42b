import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { UpstreamOptions } from '../../../../lib/upstream/upstream.options.js';
import { UpstreamBusyError } from '../../../../lib/upstream/upstream.errors.js';
import { eventually } from '../../../support/eventually.js';
import { type RawRequest, RawServer } from '../../raw-server.js';
import { UpstreamFixture } from '../../upstream-fixture.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function pair(answer: (request: RawRequest) => void, options: UpstreamOptions) {
  const server = await RawServer.listen(answer);
  const fixture = new UpstreamFixture([server.port], options);
  opened.push(
    () => server.kill(),
    () => fixture.close(),
  );
  return { server, fixture };
}

const answerOk = ({ socket }: RawRequest) => void socket.write(OK);
/** Leaves the answering to the test. */
const hold = () => {};
const release = ({ requests }: RawServer, index: number) => {
  requests[index]?.socket.write(OK);
};

describe('the connection pool', () => {
  it('opens no more connections than it may, and lets the rest wait in order', async () => {
    const { server, fixture } = await pair(hold, { connections: 2 });
    const calls = ['/0', '/1', '/2', '/3'].map((path) => fixture.call({ path }));
    await eventually(() => expect(server.requests).toHaveLength(2));
    expect(fixture.figures()).toEqual({ connections: 2, idle: 0, queued: 2 });
    for (let i = 0; i < 4; i++) {
      await eventually(() => expect(server.requests.length).toBeGreaterThan(i));
      release(server, i);
    }
    await Promise.all(calls.map((call) => call.ended));
    expect(server.requests.slice(2).map(({ head }) => head.slice(4, 6))).toEqual(['/2', '/3']);
    expect(server.connections).toBe(2);
    expect(fixture.waiting.count).toBe(0);
  });

  it('turns a call away at once when enough are waiting, which hurts nobody', async () => {
    const { server, fixture } = await pair(hold, { connections: 1, pending: 1 });
    const first = fixture.call();
    const second = fixture.call();
    const third = fixture.call();
    expect(third.error).toBeInstanceOf(UpstreamBusyError);
    expect(third.error?.getStatus()).toBe(503);
    expect(fixture.endpoint()).toMatchObject({ active: 2, consecutiveFailures: 0 });
    for (const [i, call] of [first, second].entries()) {
      await eventually(() => expect(server.requests.length).toBeGreaterThan(i));
      release(server, i);
      await call.ended;
    }
    expect(fixture.circuit).toMatchObject({ calls: 2, failures: 0 });
  });

  it('loses no place and no connection to callers who leave while they wait', async () => {
    const { server, fixture } = await pair(hold, { connections: 1, pending: 4 });
    const first = fixture.call();
    for (let round = 0; round < 20; round++) {
      const leaving = Array.from({ length: 4 }, () => fixture.call());
      expect(leaving.every((call) => call.error === undefined)).toBe(true);
      for (const call of leaving) fixture.upstream.cancel(call);
      for (const call of leaving) fixture.upstream.cancel(call);
      expect(leaving.every((call) => call.heard.length === 1)).toBe(true);
      expect(fixture.waiting.count).toBe(0);
    }
    const last = fixture.call();
    await eventually(() => expect(server.requests).toHaveLength(1));
    release(server, 0);
    await first.ended;
    await eventually(() => expect(server.requests).toHaveLength(2));
    release(server, 1);
    expect((await last.ended).status).toBe(200);
    expect(fixture.endpoint().active).toBe(0);
    expect(fixture.figures()).toEqual({ connections: 1, idle: 1, queued: 0 });
  });

  it('gives the place of a caller who leaves mid-answer to the next', async () => {
    const { server, fixture } = await pair(
      ({ socket, connection }) => {
        if (connection === 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf');
        else socket.write(OK);
      },
      { connections: 1 },
    );
    const first = fixture.call();
    const second = fixture.call();
    await eventually(() => expect(first.heard).toContain('body'));
    fixture.upstream.cancel(first);
    expect((await second.ended).status).toBe(200);
    expect(server.connections).toBe(2);
    expect(first.heard).toEqual(['head', 'body', 'error']);
  });

  it('fails a call that waits for longer than its answer may take', async () => {
    const { fixture } = await pair(hold, { connections: 1 });
    const first = fixture.call({ responseTimeout: 5_000 });
    const second = await fixture.call({ responseTimeout: 60 }).ended;
    expect(second.error?.code).toBe('ERR_UPSTREAM_TIMEOUT');
    expect(second.sends).toBe(0);
    expect(first.heard).toEqual([]);
    expect(fixture.waiting.count).toBe(0);
  });

  it('uses the connection used last', async () => {
    const { server, fixture } = await pair(hold, {});
    const calls = [fixture.call(), fixture.call()];
    await eventually(() => expect(server.requests).toHaveLength(2));
    release(server, 0);
    await calls[0]?.ended;
    release(server, 1);
    await calls[1]?.ended;
    const last = server.requests[1]?.connection;
    for (let i = 2; i < 5; i++) {
      const call = fixture.call();
      await eventually(() => expect(server.requests).toHaveLength(i + 1));
      expect(server.requests[i]?.connection).toBe(last);
      release(server, i);
      await call.ended;
    }
  });

  it('closes a connection that nobody has used for a while', async () => {
    const { server, fixture } = await pair(answerOk, { timeouts: { keepAlive: 60 } });
    await fixture.call().ended;
    expect(fixture.figures().idle).toBe(1);
    await eventually(() => expect(server.sockets.size).toBe(0));
    expect(fixture.figures()).toEqual({ connections: 0, idle: 0, queued: 0 });
  });

  it('does not wait for the server to close a connection that it keeps for a shorter time', async () => {
    const { server, fixture } = await pair(
      ({ socket }) =>
        void socket.write(
          'HTTP/1.1 204 X\r\nconnection: keep-alive\r\nkeep-alive: timeout=1\r\n\r\n',
        ),
      { timeouts: { keepAlive: '1h' } },
    );
    await fixture.call().ended;
    await eventually(() => expect(server.sockets.size).toBe(0));
  });

  it('notices when the server closes an idle connection', async () => {
    const { server, fixture } = await pair(answerOk, {});
    await fixture.call().ended;
    for (const socket of server.sockets) socket.end();
    await eventually(() => expect(fixture.figures().connections).toBe(0));
    const call = await fixture.call({ method: 'POST', body: 'x' }).ended;
    expect(call.status).toBe(200);
    expect(fixture.happened).not.toContain('call.retried');
  });

  it('closes the idle connections of an instance that is gone, and lets the others finish', async () => {
    const { server, fixture } = await pair(
      (request) => void (request.head.startsWith('GET /slow') || answerOk(request)),
      {},
    );
    const slow = fixture.call({ path: '/slow' });
    await eventually(() => expect(server.requests).toHaveLength(1));
    await fixture.call({ path: '/fast' }).ended;
    expect(server.sockets.size).toBe(2);
    fixture.show([]);
    await eventually(() => expect(server.sockets.size).toBe(1));
    release(server, 0);
    expect((await slow.ended).status).toBe(200);
    await eventually(() => expect(server.sockets.size).toBe(0));
  });

  it('fails what is under way and what waits when it is closed for good', async () => {
    const { server, fixture } = await pair(hold, { connections: 1 });
    const calls = [fixture.call(), fixture.call()];
    await eventually(() => expect(server.requests).toHaveLength(1));
    fixture.close();
    const ends = await Promise.all(calls.map((call) => call.ended));
    expect(ends.every((call) => call.error !== undefined)).toBe(true);
    await eventually(() => expect(server.sockets.size).toBe(0));
    await pause(10);
    expect(server.connections).toBe(1);
  });
});

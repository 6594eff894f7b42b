import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  UpstreamConnectionError,
  UpstreamProtocolError,
} from '../../../lib/upstream/upstream.errors.js';
import { eventually } from '../../support/eventually.js';
import { RawServer } from '../raw-server.js';
import { RecordedCall } from '../recorded-call.js';
import { UpstreamFixture } from '../upstream-fixture.js';
import { type AnswerCase, ANSWERS } from './http1/answers.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nagain';
const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

/** Writes pieces, each in a packet of its own. */
async function play(socket: Socket, pieces: readonly string[], closes: boolean): Promise<void> {
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await pause(2);
    socket.write(piece, 'latin1');
  }
  if (closes) socket.end();
}

/** A server that gives one answer to the first request on a connection, and a good one to the others. */
async function serverFor({ bytes, closes }: AnswerCase): Promise<RawServer> {
  const server = await RawServer.listen(({ socket, turn, connection }) => {
    if (turn > 0 || connection > 0) socket.write(OK);
    else void play(socket, bytes.split('‖'), closes === true);
  });
  opened.push(() => server.kill());
  return server;
}

describe.each(Object.entries(ANSWERS))('HTTP/1.1: %s', (_kind, cases) => {
  it.each(cases.map((each) => [each.name, each] as const))('%s', async (_name, answer) => {
    const server = await serverFor(answer);
    const fixture = new UpstreamFixture([server.port], { retry: false });
    opened.push(() => fixture.close());
    const { expected } = answer;
    const call = await fixture.call({ method: answer.method ?? 'GET' }).ended;
    if (typeof expected === 'string') {
      const kind = expected === 'malformed' ? UpstreamProtocolError : UpstreamConnectionError;
      expect(call.error).toBeInstanceOf(kind);
      expect(call.heard).not.toContain('end');
      // Whatever is left of it must never be read as the answer to the next call.
      expect((await fixture.call().ended).body).toBe('again');
      await eventually(() => expect(server.connections).toBe(2));
      return;
    }
    expect(call.error).toBeUndefined();
    const { status, headers, body = '', trailers, informations = [], keeps } = expected;
    expect({ status: call.status, body: call.body, trailers: call.trailers }).toEqual({
      status,
      body,
      trailers,
    });
    if (headers) expect(call.rawHeaders).toEqual(headers);
    expect(call.informations.map((each) => each.status)).toEqual(informations);
    expect((await fixture.call().ended).body).toBe('again');
    expect(server.connections).toBe(keeps ? 1 : 2);
  });
});

async function pair(
  answer: Parameters<typeof RawServer.listen>[0],
  options: ConstructorParameters<typeof UpstreamFixture>[1] = {},
) {
  const server = await RawServer.listen(answer);
  const fixture = new UpstreamFixture([server.port], options);
  opened.push(
    () => server.kill(),
    () => fixture.close(),
  );
  return { server, fixture };
}

/** Writes megabytes until the sink asks to stop; how many it took. */
function fill({ sink }: RecordedCall): number {
  const megabyte = Buffer.alloc(1024 * 1024);
  let writes = 0;
  let wants = true;
  while (wants && writes < 64) {
    wants = sink?.write(megabyte) === true;
    writes++;
  }
  return writes;
}

describe('an HTTP/1.1 connection', () => {
  it('stops reading while nobody takes the body, and goes on when told', async () => {
    const size = 32 * 1024 * 1024;
    const { fixture, server } = await pair(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
      socket.write(Buffer.alloc(size, 'x'));
    });
    const call = fixture.call();
    call.wants = false;
    await eventually(() => expect(call.bytes).toBeGreaterThan(0));
    await pause(50);
    const held = call.bytes;
    await pause(50);
    expect(call.bytes).toBe(held);
    expect(held).toBeLessThan(size / 4);
    expect([...server.sockets][0]?.writableLength).toBeGreaterThan(0);
    call.wants = true;
    call.source?.resume();
    await call.ended;
    expect(call.bytes).toBe(size);
    expect(fixture.figures().idle).toBe(1);
  });

  it('does not count the time in which nobody takes the body as the service being slow', async () => {
    const size = 8 * 1024 * 1024;
    const { fixture } = await pair(
      ({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
        socket.write(Buffer.alloc(size, 'x'));
      },
      { timeouts: { idle: 400 } },
    );
    const call = fixture.call();
    call.wants = false;
    await pause(1_000);
    expect(call.heard).toEqual(['head', 'body']);
    call.wants = true;
    call.source?.resume();
    expect((await call.ended).bytes).toBe(size);
  });

  it('gives a body up that pauses for longer than the idle timeout', async () => {
    const { fixture } = await pair(
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'),
      { timeouts: { idle: 60 } },
    );
    const call = await fixture.call().ended;
    expect(call.heard).toEqual(['head', 'body', 'error']);
    expect(call.error?.message).toBe('"orders" did not answer within 60 ms.');
  });

  it('tells a sender to wait while the service does not read, and when to go on', async () => {
    const { fixture, server } = await pair(({ socket }) => void socket.pause());
    const call = fixture.call({ method: 'POST', openBody: true });
    await eventually(() => expect(call.sink).toBeDefined());
    expect(fill(call)).toBeLessThan(64);
    await eventually(() => expect(server.requests).toHaveLength(1));
    for (const socket of server.sockets) socket.resume();
    await eventually(() => expect(call.drains).toBe(1));
  });

  it('gives a call up whose service does not read its body', async () => {
    const { fixture } = await pair(({ socket }) => void socket.pause(), { timeouts: { idle: 60 } });
    const call = fixture.call({ method: 'POST', openBody: true });
    await eventually(() => expect(call.sink).toBeDefined());
    fill(call);
    expect((await call.ended).error?.code).toBe('ERR_UPSTREAM_TIMEOUT');
  });

  it('begins the response timeout when the request body has ended', async () => {
    const { fixture } = await pair(() => {});
    const call = fixture.call({ method: 'POST', openBody: true, responseTimeout: 60 });
    await eventually(() => expect(call.sink).toBeDefined());
    await pause(200);
    expect(call.heard).toEqual(['connected']);
    call.sink?.end();
    expect((await call.ended).error?.code).toBe('ERR_UPSTREAM_TIMEOUT');
  });

  it('does not use a connection again whose answer came before the end of its request', async () => {
    const { fixture, server } = await pair(
      ({ socket }) => void socket.write('HTTP/1.1 413 X\r\ncontent-length: 0\r\n\r\n'),
    );
    const call = await fixture.call({ method: 'POST', openBody: true }).ended;
    expect(call.status).toBe(413);
    expect(call.sink?.write('late')).toBe(true);
    call.sink?.end();
    expect((await fixture.call().ended).status).toBe(413);
    expect(server.connections).toBe(2);
    expect(server.received).not.toContain('late');
  });

  it('drops an idle connection on which the service says something', async () => {
    const { fixture, server } = await pair(({ socket, connection }) => {
      socket.write(OK);
      if (connection === 0) setTimeout(() => socket.write(OK), 20);
    });
    await fixture.call().ended;
    await eventually(() => expect(fixture.figures().connections).toBe(0));
    expect((await fixture.call().ended).body).toBe('again');
    expect(server.connections).toBe(2);
  });

  it('drops an idle connection on which half an answer comes', async () => {
    const { fixture, server } = await pair(({ socket }) => void socket.write(OK));
    await fixture.call().ended;
    expect(server.requests).toHaveLength(1);
    for (const socket of server.sockets) socket.write('HTTP/1.1 200 OK\r\n');
    await eventually(() => expect(fixture.figures().connections).toBe(0));
  });

  it('fails a connection that cannot be made in time', async () => {
    // TEST-NET-1 (RFC 5737) answers nobody; where it is refused at once, that is as good.
    const fixture = new UpstreamFixture([], { timeouts: { connect: 100 } });
    opened.push(() => fixture.close());
    fixture.balancer.update([
      {
        id: 'far',
        service: 'orders',
        host: '192.0.2.1',
        port: 81,
        ports: {},
        scheme: 'http',
        status: 'up',
        weight: 1,
        tags: [],
        metadata: {},
      },
    ]);
    const call = await fixture.call({ responseTimeout: 60_000 }).ended;
    expect(call.error).toBeInstanceOf(UpstreamConnectionError);
    expect(call.error).toMatchObject({ sent: false });
  });

  it('lets a call end with an error when its own code throws, and goes on with the next', async () => {
    const { fixture } = await pair(({ socket }) => void socket.write(OK));
    class Clumsy extends RecordedCall {
      override onHead(): void {
        throw new Error('clumsy');
      }
    }
    const call = new Clumsy();
    fixture.upstream.dispatch(call);
    expect((await call.ended).error?.code).toBe('ERR_CALL_HANDLING');
    expect(fixture.endpoint().consecutiveFailures).toBe(0);
    expect((await fixture.call().ended).status).toBe(200);
  });
});

import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CallCancelledError,
  CircuitOpenError,
  NoEndpointError,
  UpstreamConnectionError,
  UpstreamTimeoutError,
} from '../../lib/upstream/upstream.errors.js';
import { eventually } from '../support/eventually.js';
import { type RawRequest, RawServer } from './raw-server.js';
import { UpstreamFixture } from './upstream-fixture.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const opened: (() => unknown)[] = [];

async function serve(answer: (request: RawRequest) => void, port = 0): Promise<RawServer> {
  const server = await RawServer.listen(answer, port);
  opened.push(() => server.kill());
  return server;
}

function reach(...args: ConstructorParameters<typeof UpstreamFixture>): UpstreamFixture {
  const fixture = new UpstreamFixture(...args);
  opened.push(() => fixture.close());
  return fixture;
}

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const [port] = await deadPorts(1);
  return port as number;
}

/** Ports on which nobody listens, all different. */
async function deadPorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => RawServer.listen(() => {})),
  );
  const ports = servers.map(({ port }) => port);
  for (const server of servers) await server.kill();
  return ports;
}

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

const answerOk = ({ socket }: RawRequest) => void socket.write(OK);
const answerSlowly = ({ socket }: RawRequest) => void setTimeout(() => socket.write(OK), 5);

describe('Upstream.dispatch', () => {
  it('brings a call to an endpoint and its answer back', async () => {
    const server = await serve(answerOk);
    const fixture = reach([server.port]);
    const call = await fixture.call({ path: '/a?b' }).ended;
    expect(call.heard).toEqual(['head', 'body', 'end']);
    expect([call.status, call.body]).toEqual([200, 'ok']);
    expect(server.requests[0]?.head).toMatch(/^GET \/a\?b HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+$/);
  });

  it('keeps a connection for the next call', async () => {
    const server = await serve(answerOk);
    const fixture = reach([server.port]);
    for (let i = 0; i < 5; i++) await fixture.call().ended;
    expect(server.connections).toBe(1);
    expect(fixture.figures()).toEqual({ connections: 1, idle: 1, queued: 0 });
    expect(fixture.endpoint().active).toBe(0);
  });

  it('sends a body behind the head', async () => {
    const server = await serve(answerOk);
    const fixture = reach([server.port]);
    const call = await fixture.call({ method: 'POST', body: 'hello' }).ended;
    expect(call.heard).toEqual(['connected', 'head', 'body', 'end']);
    expect(server.received).toMatch(/content-length: 5\r\n\r\nhello$/);
    expect(fixture.figures().idle).toBe(1);
  });

  it('fails at once when no instance is registered', async () => {
    const call = reach([]).call();
    expect(call.error).toBeInstanceOf(NoEndpointError);
  });

  it('holds a call until the instances are known', async () => {
    const server = await serve(answerOk);
    const fixture = reach(undefined);
    const call = fixture.call();
    expect(call.heard).toEqual([]);
    fixture.show([server.port]);
    await call.ended;
    expect(call.status).toBe(200);
  });

  it('fails a call whose instances do not become known within the connect timeout', async () => {
    const fixture = reach(undefined, { timeouts: { connect: 60 } });
    const call = await fixture.call().ended;
    expect(call.error).toBeInstanceOf(NoEndpointError);
    fixture.show([]);
    expect(call.heard).toEqual(['error']);
  });

  it('fails with a timeout when the head does not come in time', async () => {
    const server = await serve(() => {});
    const fixture = reach([server.port]);
    const call = await fixture.call({ responseTimeout: 60 }).ended;
    expect(call.error).toBeInstanceOf(UpstreamTimeoutError);
    expect(call.error?.message).toBe('"orders" did not answer within 60 ms.');
    await eventually(() => expect(server.sockets.size).toBe(0));
    expect(fixture.endpoint().consecutiveFailures).toBe(1);
  });

  it('refuses at once while the circuit is open, and tries again when new instances come', async () => {
    const server = await serve(answerOk);
    const fixture = reach([], { circuit: { minimumCalls: 3, openFor: '1h' } });
    for (let i = 0; i < 3; i++) fixture.call();
    expect(fixture.circuit?.state).toBe('open');
    const refused = fixture.call();
    expect(refused.error).toBeInstanceOf(CircuitOpenError);
    fixture.show([server.port]);
    expect((await fixture.call().ended).status).toBe(200);
    expect(fixture.happened).toEqual(['circuit.opened', 'circuit.half-opened']);
  });
});

describe('Upstream.cancel', () => {
  it('closes the connection and hurts nobody', async () => {
    const server = await serve(() => {});
    const fixture = reach([server.port]);
    const call = fixture.call();
    await eventually(() => expect(server.requests).toHaveLength(1));
    fixture.upstream.cancel(call);
    expect(call.error).toBeInstanceOf(CallCancelledError);
    await eventually(() => expect(server.sockets.size).toBe(0));
    expect(fixture.endpoint()).toMatchObject({ active: 0, consecutiveFailures: 0 });
    expect(fixture.circuit).toMatchObject({ calls: 0, failures: 0 });
  });
});

describe('retries', () => {
  it('tries any method on another endpoint when the connection was refused', async () => {
    const server = await serve(answerOk);
    const fixture = reach([await deadPort(), server.port], { strategy: 'round-robin' });
    for (let i = 0; i < 4; i++) {
      const call = await fixture.call({ method: 'POST', body: 'x' }).ended;
      expect(call.status).toBe(200);
      expect(call.heard).toEqual(['connected', 'head', 'body', 'end']);
    }
    expect(fixture.happened).toContain('call.retried');
  });

  it('brings a call to three endpoints at most while their connections are refused', async () => {
    const dead = await deadPorts(4);
    const fixture = reach(dead);
    const call = await fixture.call({ method: 'POST', body: 'x' }).ended;
    expect(call.error).toMatchObject({ code: 'ERR_UPSTREAM_CONNECTION', sent: false });
    expect(fixture.happened.filter((name) => name === 'call.retried')).toHaveLength(2);
    const tried = fixture.upstream.endpoints.filter(({ unreachable }) => unreachable);
    expect(tried).toHaveLength(3);
  });

  it('loses none of 1,000 concurrent calls while four of six listed instances are dead', async () => {
    const living = [await serve(answerOk), await serve(answerOk)];
    const fixture = reach([...(await deadPorts(4)), ...living.map(({ port }) => port)]);
    const calls = Array.from({ length: 1_000 }, () => fixture.call({ method: 'POST', body: 'x' }));
    const ends = await Promise.all(calls.map((call) => call.ended));
    expect(ends.filter((call) => call.status !== 200)).toEqual([]);
    expect(fixture.balancer.candidates.map(({ instance }) => instance.port)).toEqual(
      living.map(({ port }) => port),
    );
  });

  it('sends a GET anew once only, however its connections break', async () => {
    const breaking = await Promise.all(
      [1, 2, 3].map(() => serve(({ socket }) => void socket.resetAndDestroy())),
    );
    const fixture = reach(breaking.map(({ port }) => port));
    const call = await fixture.call().ended;
    expect(call.error).toMatchObject({ sent: true });
    expect(call.sends).toBe(2);
  });

  it('does not try the only endpoint again when it refuses', async () => {
    const fixture = reach([await deadPort()]);
    const call = await fixture.call().ended;
    expect(call.error).toBeInstanceOf(UpstreamConnectionError);
    expect(fixture.happened).toEqual([]);
  });

  it('does not retry when told not to', async () => {
    const server = await serve(answerOk);
    const fixture = reach([server.port, await deadPort()], {
      strategy: 'round-robin',
      retry: false,
    });
    const ends = await Promise.all([fixture.call().ended, fixture.call().ended]);
    expect(ends.filter((call) => call.error)).toHaveLength(1);
  });

  it('sends a GET once more on a fresh connection when the kept one was closed under it', async () => {
    const server = await serve(({ socket, connection, turn }) => {
      if (connection === 0 && turn === 1) socket.resetAndDestroy();
      else socket.write(OK);
    });
    const fixture = reach([server.port]);
    await fixture.call().ended;
    const call = await fixture.call().ended;
    expect(call.status).toBe(200);
    expect(call.sends).toBe(2);
    expect(server.connections).toBe(2);
    expect(fixture.endpoint().consecutiveFailures).toBe(0);
  });

  it('never sends a POST again once bytes of it were sent', async () => {
    const server = await serve(({ socket, turn }) => {
      if (turn === 1) socket.resetAndDestroy();
      else socket.write(OK);
    });
    const fixture = reach([server.port]);
    await fixture.call().ended;
    const call = await fixture.call({ method: 'POST', body: 'x' }).ended;
    expect(call.error).toBeInstanceOf(UpstreamConnectionError);
    expect(call.sends).toBe(1);
    expect(server.requests.filter(({ head }) => head.startsWith('POST'))).toHaveLength(1);
  });

  it('sends a GET to another endpoint when the instance died before it answered', async () => {
    const dying = await serve(({ socket }) => void socket.resetAndDestroy());
    const server = await serve(answerOk);
    const fixture = reach([dying.port, server.port], { strategy: 'round-robin' });
    for (let i = 0; i < 4; i++) expect((await fixture.call().ended).status).toBe(200);
  });

  it('does not try again after the head of an answer', async () => {
    const server = await serve(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
      setImmediate(() => socket.destroy());
    });
    const other = await serve(answerOk);
    const fixture = reach([server.port]);
    const call = fixture.call();
    fixture.show([server.port, other.port]);
    await call.ended;
    expect(call.heard).toEqual(['head', 'body', 'error']);
    expect(call.sends).toBe(1);
  });

  it('does not try again after a timeout', async () => {
    const silent = await serve(() => {});
    const also = await serve(() => {});
    const fixture = reach([silent.port, also.port]);
    const call = await fixture.call({ responseTimeout: 60 }).ended;
    expect(call.error).toBeInstanceOf(UpstreamTimeoutError);
    expect(call.sends).toBe(1);
  });

  it('loses none of 200 concurrent GETs when one of two instances is killed', async () => {
    const one = await serve(answerSlowly);
    const other = await serve(answerSlowly);
    const fixture = reach([one.port, other.port]);
    let sent = 0;
    const caller = async () => {
      const statuses: (number | string)[] = [];
      for (let i = 0; i < 10; i++) {
        sent++;
        const call = await fixture.call().ended;
        statuses.push(call.error?.message ?? call.status);
      }
      return statuses;
    };
    const callers = Array.from({ length: 200 }, caller);
    await eventually(() => expect(sent).toBeGreaterThan(400));
    await one.kill();
    const statuses = (await Promise.all(callers)).flat();
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(statuses).toHaveLength(2_000);
  });
});

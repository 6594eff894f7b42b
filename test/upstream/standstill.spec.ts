import { afterEach, describe, expect, it } from '@jest/globals';
import { type Attempt, type Carrier, Channel, Transport } from '../../lib/upstream/transport.js';
import { eventually } from '../support/eventually.js';
import { RawServer } from './raw-server.js';
import { StandingClock } from './standing-clock.js';
import { UpstreamFixture } from './upstream-fixture.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

const NOTHING: Carrier = { write: () => true, end: () => {}, resume: () => {}, abort: () => {} };

/** In place of a network on which connections take as long as the test wants: on loopback they are made at once. */
class ConnectingTransport extends Transport {
  override open(): Channel {
    return new (class extends Channel {
      override send(attempt: Attempt): void {
        attempt.onConnecting(NOTHING);
      }
      override withdraw(): void {}
      override retire(): void {}
      override close(): void {}
    })();
  }
}

const carryNothing = () => new ConnectingTransport();

describe('while the process itself stands still', () => {
  it('no time is lost for a connection that is being made', () => {
    const clock = new StandingClock();
    const fixture = new UpstreamFixture(
      [1],
      { timeouts: { connect: '1s' }, over: carryNothing },
      clock,
    );
    const call = fixture.call();
    for (let times = 0; times < 6; times++) {
      clock.stand(2_000);
      clock.live(50);
    }
    expect(call.heard).toEqual([]);
    expect(fixture.circuit?.state).toBe('closed');
    clock.live(1_000);
    expect(call.error?.message).toMatch(/no connection within 1000 ms/);
  });

  it('no time is lost for an answer', async () => {
    const clock = new StandingClock();
    const server = await RawServer.listen(() => {});
    opened.push(() => server.kill());
    const fixture = new UpstreamFixture([server.port], {}, clock);
    opened.push(() => fixture.close());
    const call = fixture.call({ responseTimeout: 2_000 });
    await eventually(() => expect(server.requests).toHaveLength(1));
    clock.stand(10_000);
    clock.live(500);
    clock.stand(10_000);
    clock.live(500);
    expect(call.heard).toEqual([]);
    clock.live(1_500);
    expect(call.error).toMatchObject({ code: 'ERR_UPSTREAM_TIMEOUT' });
  });

  it('answers are not taken for slow by the limit of calls', async () => {
    const clock = new StandingClock();
    const waiting: (() => void)[] = [];
    const server = await RawServer.listen(({ socket }) => {
      waiting.push(() => socket.write(OK));
    });
    opened.push(() => server.kill());
    const fixture = new UpstreamFixture([server.port], {}, clock);
    opened.push(() => fixture.close());
    const calls = Array.from({ length: 10 }, () => fixture.call());
    await eventually(() => expect(waiting).toHaveLength(10));
    clock.live(30);
    // Answers are read before the sweep that is late by then.
    clock.time += 4_000;
    for (const answer of waiting) answer();
    await Promise.all(calls.map(({ ended }) => ended));
    // 30 ms were lived, and 50 more until a sweep could have told.
    expect(fixture.upstream.limit?.usualLatency).toBe(80);
  });
});

import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { WritePacket } from '@nestjs/microservices';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { frame, MessageFrames } from '../../lib/messaging/message-frames.js';
import { type AnswerListener, TcpConnection } from '../../lib/messaging/tcp-connection.js';
import { eventually } from '../support/eventually.js';

/** What one who waits for answers hears. */
class Heard implements AnswerListener {
  readonly packets: WritePacket[] = [];
  readonly lost: string[] = [];

  onPacket(packet: WritePacket): void {
    this.packets.push(packet);
  }

  onLost(reason: string): void {
    this.lost.push(reason);
  }
}

interface Sent {
  readonly id?: string;
  readonly pattern: string;
  readonly data: unknown;
}

let clock: FakeClock;
let server: Server;
let peer: Socket;
let connection: TcpConnection;
/** What the server was sent, and in how many pieces. */
let sent: Sent[];
let pieces: number;

beforeEach(async () => {
  clock = new FakeClock();
  sent = [];
  pieces = 0;
  server = createServer((socket) => {
    peer = socket;
    const frames = new MessageFrames(1e8, (message) => sent.push(message as Sent));
    socket.on('data', (bytes) => {
      pieces += 1;
      frames.take(bytes);
    });
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  connection = await TcpConnection.open('127.0.0.1', port, clock, 1_000);
  await accepted;
});
afterEach(async () => {
  connection.close();
  peer.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function ask(data: unknown = 1): Heard {
  const heard = new Heard();
  connection.request({ pattern: 'ask', data }, heard);
  return heard;
}

const answer = (of: Sent | undefined, fields: object) =>
  peer.write(frame({ id: of?.id, ...fields }));

describe('TcpConnection', () => {
  it('gives each its own answers, in whatever order they come', async () => {
    const [first, second] = [ask('a'), ask('b')];
    await eventually(() => expect(sent.map(({ data }) => data)).toEqual(['a', 'b']));
    answer(sent[1], { response: 2, isDisposed: true });
    answer(sent[0], { response: 'one' });
    answer(sent[0], { isDisposed: true });
    await eventually(() => expect(first.packets).toHaveLength(2));
    expect(first.packets).toEqual([{ response: 'one' }, { isDisposed: true }]);
    expect(second.packets).toEqual([{ response: 2, isDisposed: true }]);
  });

  it('takes an error for the last answer', async () => {
    const heard = ask();
    await eventually(() => expect(sent).toHaveLength(1));
    answer(sent[0], { err: 'no' });
    answer(sent[0], { response: 1, isDisposed: true });
    const next = ask();
    await eventually(() => expect(sent).toHaveLength(2));
    answer(sent[1], { response: 2, isDisposed: true });
    await eventually(() => expect(next.packets).toHaveLength(1));
    expect(heard.packets).toEqual([{ err: 'no', isDisposed: true }]);
  });

  it('sends what is asked in one go as one piece', async () => {
    for (let n = 0; n < 50; n++) ask(n);
    await eventually(() => expect(sent).toHaveLength(50));
    expect(sent.map(({ data }) => data)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(pieces).toBe(1);
  });

  it('sends an event behind what was asked before it', async () => {
    ask('first');
    await connection.dispatch({ pattern: 'told', data: 'second' });
    await eventually(() => expect(sent).toHaveLength(2));
    expect(sent).toEqual([
      { id: '1', pattern: 'ask', data: 'first' },
      { pattern: 'told', data: 'second' },
    ]);
  });

  it('sends nothing of what cannot be written as JSON', async () => {
    const heard = new Heard();
    expect(() => connection.request({ pattern: 'ask', data: 1n }, heard)).toThrow(TypeError);
    const next = ask('fine');
    await eventually(() => expect(sent.map(({ data }) => data)).toEqual(['fine']));
    answer(sent[0], { response: 1, isDisposed: true });
    await eventually(() => expect(next.packets).toHaveLength(1));
    expect(heard).toEqual(new Heard());
  });

  it('hears nothing of what it forgot', async () => {
    const heard = new Heard();
    connection.forget(connection.request({ pattern: 'ask', data: 1 }, heard));
    const next = ask();
    await eventually(() => expect(sent).toHaveLength(2));
    for (const each of sent) answer(each, { response: 1, isDisposed: true });
    await eventually(() => expect(next.packets).toHaveLength(1));
    peer.destroy();
    await eventually(() => expect(connection.isOpen).toBe(false));
    expect(heard).toEqual(new Heard());
  });

  it.each([
    ['closes', () => peer.end()],
    ['resets the connection', () => peer.resetAndDestroy()],
  ])('tells everybody who waits when the other side %s', async (_, end) => {
    const all = [ask(), ask()];
    await eventually(() => expect(sent).toHaveLength(2));
    end();
    await eventually(() =>
      expect(all.map(({ lost }) => lost)).toEqual(
        all.map(() => ['it ended before the answer came']),
      ),
    );
    expect(connection.isOpen).toBe(false);
    await expect(connection.dispatch({ pattern: 'told', data: 1 })).rejects.toThrow('it ended');
  });

  it.each([
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'begins with its length, not with "HTTP/1.1 4"'],
    ['5#{"a":', 'no JSON'],
    ['999999999#{', 'longer than 134217728'],
  ])('ends a connection that answers %j, and says why', async (text, reason) => {
    const heard = ask();
    peer.write(text);
    await eventually(() => expect(heard.lost).toEqual([expect.stringContaining(reason)]));
    expect(connection.isOpen).toBe(false);
  });

  it.each(['4#null', '2#{}', '2#[]', '16#{"id":"unknown"}', '3#"1"', '8#{"id":1}'])(
    'passes over an answer to nothing: %s',
    async (text) => {
      const heard = ask();
      await eventually(() => expect(sent).toHaveLength(1));
      peer.write(text);
      answer(sent[0], { response: 1, isDisposed: true });
      await eventually(() => expect(heard.packets).toEqual([{ response: 1, isDisposed: true }]));
    },
  );

  it('ends a connection that stops in the middle of an answer, and gives a slow one its time', async () => {
    const heard = ask();
    await eventually(() => expect(sent).toHaveLength(1));
    const text = frame({ id: '1', response: 'slow', isDisposed: true });
    const armed = jest.spyOn(clock, 'after');
    for (let n = 0; n < text.length - 1; n++) {
      peer.write(text.charAt(n));
      await eventually(() => expect(armed).toHaveBeenCalledTimes(n + 1));
      await clock.advance(20_000);
    }
    expect(connection.isOpen).toBe(true);
    await clock.advance(11_000);
    await eventually(() =>
      expect(heard.lost).toEqual(['it stopped in the middle of an answer for 30s']),
    );
  });

  it('ends a connection of one who reads nothing before too much waits', async () => {
    peer.pause();
    const heard = ask('x'.repeat(70_000_000));
    const more = ask('y'.repeat(70_000_000));
    await eventually(() => expect(heard.lost).toEqual([expect.stringContaining('reads nothing')]));
    expect(more.lost).toHaveLength(1);
  }, 30_000);

  it('sends what was asked before it closes', async () => {
    ask('last');
    connection.close();
    await eventually(() => expect(sent.map(({ data }) => data)).toEqual(['last']));
  });

  it('gives up connecting after its time', async () => {
    const { port } = server.address() as AddressInfo;
    const after = jest.spyOn(clock, 'after');
    const opening = TcpConnection.open('127.0.0.1', port, clock, 1_000);
    // The network has had no turn since, so this is the moment of one that never answers.
    const [delay, giveUp] = after.mock.calls[0]!;
    giveUp();
    expect(delay).toBe(1_000);
    await expect(opening).rejects.toThrow('no connection within 1s');
    await eventually(() => expect(clock.waiting).toBe(0));
  });
});

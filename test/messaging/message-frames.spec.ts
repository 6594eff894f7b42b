import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { JsonSocket } from '@nestjs/microservices';
import { array, assert, jsonValue, nat, property, uint8Array } from 'fast-check';
import { frame, MessageFrames } from '../../lib/messaging/message-frames.js';

/** What was taken out of some chunks, and whether something is left. */
function taken(chunks: readonly Buffer[], maxLength = 1_000) {
  const messages: unknown[] = [];
  const frames = new MessageFrames(maxLength, (message) => messages.push(message));
  for (const chunk of chunks) frames.take(chunk);
  return { messages, partial: frames.isPartial };
}

/** The same bytes in pieces that end at these places. */
function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return ends.map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end));
}

const messages = array(
  jsonValue().filter((value) => JSON.stringify(value).length < 900),
  {
    maxLength: 8,
  },
);
const places = array(nat(10_000), { maxLength: 12 });

/** As they come back from JSON: `-0` is `0`. */
const plain = (values: readonly unknown[]) => JSON.parse(JSON.stringify(values)) as unknown[];

describe('MessageFrames', () => {
  it('takes what was framed, however it is cut', () => {
    assert(
      property(messages, places, (sent, cuts) => {
        const bytes = Buffer.from(sent.map(frame).join(''));
        expect(taken(split(bytes, cuts))).toEqual({ messages: plain(sent), partial: false });
      }),
      { numRuns: 1_000 },
    );
  });

  it("is understood by Nest's own socket, and understands it", () => {
    assert(
      property(messages, places, (sent, cuts) => {
        const written: Buffer[] = [];
        const stream = new PassThrough();
        stream.on('data', (bytes: Buffer) => written.push(bytes));
        const theirs = new JsonSocket(new PassThrough());
        const heard: unknown[] = [];
        theirs.on('message', (message: unknown) => heard.push(message));
        for (const piece of split(Buffer.from(sent.map(frame).join('')), cuts)) {
          theirs.netSocket.emit('data', piece);
        }
        // Nest gives an object for what is nothing.
        expect(heard).toEqual(plain(sent).map((each) => each || {}));

        const sender = new JsonSocket(stream);
        for (const message of sent) sender.sendMessage(message);
        stream.read();
        expect(taken(written).messages).toEqual(plain(sent));
      }),
    );
  });

  it('knows when a message has begun and not ended', () => {
    const bytes = Buffer.from(frame({ id: 'ä€😀' }));
    for (let end = 1; end < bytes.length; end++) {
      expect(taken([bytes.subarray(0, end)])).toEqual({ messages: [], partial: true });
    }
  });

  it.each([
    ['a length that is none', 'ab#{}', 'begins with its length, not with "ab"'],
    ['no length', '#{}', 'begins with its length, not with ""'],
    ['a negative length', '-1#{}', 'not with "-1"'],
    ['a length as Nest would cut it', '2x#{}', 'not with "2x"'],
    ['an answer of HTTP', 'HTTP/1.1 400 Bad Request\r\n', 'not with "HTTP/1.1 4"'],
    ['a length without an end', '99999999999999', 'not with "9999999999"'],
    ['a length that is too large', '1001#', 'of 1001 characters is longer than 1000'],
    ['what is no JSON', '3#{a}', 'a message is no JSON'],
    ['a length that is too short', '1#{}', 'a message is no JSON'],
  ])('refuses %s, in one piece and byte by byte', (_, text, message) => {
    const bytes = Buffer.from(text);
    expect(() => taken([bytes])).toThrow(message);
    expect(() => taken(split(bytes, [...bytes.keys()]))).toThrow(message);
  });

  it('takes what came before the fault', () => {
    const messages: unknown[] = [];
    const frames = new MessageFrames(100, (message) => messages.push(message));
    expect(() => frames.take(Buffer.from('1#13#{a}'))).toThrow('no JSON');
    expect(messages).toEqual([1]);
  });

  it('takes bytes that are no UTF-8 as Node does, and never fails otherwise than by an error that says so', () => {
    assert(
      property(uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          taken([Buffer.from(bytes)]);
        } catch (error) {
          expect((error as Error).message).toMatch(/^a message /);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

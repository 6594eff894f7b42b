import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  type ResponseListener,
  ResponseParser,
} from '../../../../lib/upstream/transports/http1/response-parser.js';
import { type AnswerCase, ANSWERS } from './answers.js';

/** Everything a listener heard; adjacent pieces of a body count as one. */
class Heard implements ResponseListener {
  readonly events: unknown[] = [];
  onInformation(status: number, rawHeaders: string[]): void {
    this.events.push(['information', status, rawHeaders]);
  }
  onHead(status: number, rawHeaders: string[]): void {
    this.events.push(['head', status, rawHeaders]);
  }
  onUpgrade(rawHeaders: string[], early: Buffer): void {
    this.events.push(['upgrade', rawHeaders, early.toString('latin1')]);
  }
  onBody(chunk: Buffer): void {
    const last = this.events.at(-1);
    const text = chunk.toString('latin1');
    if (Array.isArray(last) && last[0] === 'body') last[1] = `${String(last[1])}${text}`;
    else if (text !== '') this.events.push(['body', text]);
  }
  onEnd(trailers: string[] | undefined): void {
    this.events.push(['end', trailers]);
  }
  onMalformed(reason: string): void {
    expect(reason).toMatch(/^[\x20-\x7e]{5,80}$/);
    this.events.push(['malformed']);
  }
}

/** What is heard of bytes that come in such pieces, with the connection closed behind them. */
function hear(pieces: readonly Buffer[], toHead: boolean): unknown[] {
  const heard = new Heard();
  const parser = new ResponseParser(heard);
  parser.begin(toHead);
  for (const piece of pieces) if (piece.length > 0) parser.feed(piece);
  const before = heard.events.length;
  const finished = parser.finish();
  if (finished === 'incomplete') expect(heard.events).toHaveLength(before);
  return heard.events;
}

/** Bytes behind a whole answer are refused in the same piece, and found out one piece later: both is being refused. */
function settled(events: unknown[]): unknown[] {
  const refused = events.some((event) => Array.isArray(event) && event[0] === 'malformed');
  return refused ? events.filter((event) => Array.isArray(event) && event[0] !== 'end') : events;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return at.slice(1).map((end, i) => Buffer.from(bytes.subarray(at[i], end)));
}

const everyAnswer = Object.values(ANSWERS).flat();
const bytesOf = ({ bytes }: AnswerCase) => Buffer.from(bytes.replaceAll('‖', ''), 'latin1');
const singly = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]));

describe('the response parser', () => {
  it.each(everyAnswer.map((each) => [each.name, each] as const))(
    'hears the same of %s, byte by byte',
    (_name, answer) => {
      const bytes = bytesOf(answer);
      const toHead = answer.method === 'HEAD';
      const heard = settled(hear([bytes], toHead));
      expect(settled(hear(singly(bytes), toHead))).toEqual(heard);
      const last = heard.at(-1);
      const end = Array.isArray(last) ? String(last[0]) : 'nothing';
      if (answer.expected === 'malformed') expect(end).toBe('malformed');
      else if (answer.expected === 'cut off') expect(['end', 'malformed']).not.toContain(end);
      else expect(end).toBe('end');
    },
  );

  it('hears the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...everyAnswer),
        fc.array(fc.nat(), { maxLength: 12 }),
        (answer, cuts) => {
          const bytes = bytesOf(answer);
          const toHead = answer.method === 'HEAD';
          expect(settled(hear(split(bytes, cuts), toHead))).toEqual(settled(hear([bytes], toHead)));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('hears the same of damaged answers however they are cut, and never throws', () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(
        fc.constantFrom(...everyAnswer),
        fc.array(damage, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.boolean(),
        (answer, damages, cuts, toHead) => {
          const bytes = bytesOf(answer);
          if (bytes.length === 0) return;
          for (const { at, byte } of damages) bytes[at % bytes.length] = byte;
          expect(settled(hear(split(bytes, cuts), toHead))).toEqual(settled(hear([bytes], toHead)));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('never throws at random bytes, and ends at most once', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (random, afterHead) => {
        const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
        const pieces = [Buffer.from(random)];
        if (afterHead) pieces.unshift(Buffer.from(head));
        const ends = hear(pieces, false).filter(
          (event) => Array.isArray(event) && ['end', 'malformed'].includes(String(event[0])),
        );
        expect(ends.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2_000 },
    );
  });

  it('brings any body through any chunking', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(), { maxLength: 12 }), (chunks, cuts) => {
        const framed = chunks.flatMap((chunk) => [
          Buffer.from(`${chunk.length.toString(16)}\r\n`),
          Buffer.from(chunk),
          Buffer.from('\r\n'),
        ]);
        const bytes = Buffer.concat([
          Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'),
          ...framed,
          Buffer.from('0\r\n\r\n'),
        ]);
        const body = Buffer.concat(chunks).toString('latin1');
        expect(hear(split(bytes, cuts), false)).toEqual([
          ['head', 200, []],
          ...(body === '' ? [] : [['body', body]]),
          ['end', undefined],
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves the bytes of a body alone when the next head comes in pieces', () => {
    const bodies: Buffer[] = [];
    const heard = new Heard();
    heard.onBody = (chunk) => void bodies.push(chunk);
    const parser = new ResponseParser(heard);
    parser.begin(false);
    parser.feed(Buffer.from('HTTP/1.1 200 OK\r\ncontent-'));
    parser.feed(Buffer.from('length: 5\r\n\r\nfirst'));
    parser.begin(false);
    parser.feed(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 6'));
    parser.feed(Buffer.from('\r\n\r\nsecond'));
    expect(bodies.map(String)).toEqual(['first', 'second']);
  });
});

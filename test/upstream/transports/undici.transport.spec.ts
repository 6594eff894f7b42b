import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  record,
  stringMatching,
  tuple,
} from 'fast-check';
import {
  loadUndiciTransport,
  type UndiciTransportMaker,
} from '../../../lib/upstream/transports/undici.transport.js';
import {
  UpstreamBusyError,
  UpstreamConnectionError,
} from '../../../lib/upstream/upstream.errors.js';
import { eventually } from '../../support/eventually.js';
import { RawServer } from '../raw-server.js';
import type { RecordedCall } from '../recorded-call.js';
import { UpstreamFixture } from '../upstream-fixture.js';
import { type AnswerCase, ANSWERS } from './http1/answers.js';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const opened: (() => unknown)[] = [];
let over: UndiciTransportMaker;

beforeAll(async () => {
  over = await loadUndiciTransport();
});
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function play(socket: Socket, pieces: readonly string[], closes: boolean): Promise<void> {
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await pause(1);
    socket.write(piece, 'latin1');
  }
  if (closes) socket.end();
}

/** A server, and an upstream before it over undici. */
async function fixtureOver(
  answer: Parameters<typeof RawServer.listen>[0],
  options: ConstructorParameters<typeof UpstreamFixture>[1] = {},
): Promise<UpstreamFixture> {
  const server = await RawServer.listen(answer);
  const fixture = new UpstreamFixture([server.port], { over, ...options });
  opened.push(
    () => server.kill(),
    () => fixture.close(),
  );
  return fixture;
}

/** What an answer was read as, without the differences that nobody downstream sees. */
function reading(call: RecordedCall) {
  if (call.error) return 'failed';
  const { status, body, rawHeaders, trailers = [] } = call;
  return { status, body, rawHeaders, trailers };
}

/** A body in chunks of a size. */
function chunked(text: string, size: number): string {
  let bytes = '';
  for (let at = 0; at < text.length; at += size) {
    const piece = text.slice(at, at + size);
    bytes += `${piece.length.toString(16)}\r\n${piece}\r\n`;
  }
  return `${bytes}0\r\n\r\n`;
}

describe('the same bytes, read by our transport and by undici', () => {
  let server: RawServer;
  let answer: AnswerCase;
  let ours: UpstreamFixture;
  let theirs: UpstreamFixture;

  beforeAll(async () => {
    server = await RawServer.listen(
      ({ socket }) => void play(socket, answer.bytes.split('‖'), answer.closes === true),
    );
    const options = {
      retry: false,
      circuit: false,
      outlier: false,
      timeouts: { idle: 300 },
    } as const;
    ours = new UpstreamFixture([server.port], options);
    theirs = new UpstreamFixture([server.port], { over, ...options });
    // So that each reading begins on a connection of its own.
    for (const fixture of [ours, theirs])
      for (const { channel } of fixture.upstream.endpoints) channel.retire();
  });
  afterAll(async () => {
    ours.close();
    theirs.close();
    await server.kill();
  });

  async function read(fixture: UpstreamFixture, each: AnswerCase) {
    answer = each;
    const call = await fixture.call({
      method: each.method ?? 'GET',
      responseTimeout: 300,
    }).ended;
    return reading(call);
  }

  /** Where undici 7 reads something else than we do, and why. */
  const DIFFERENT: Readonly<Record<string, string>> = {
    'chunk extensions': 'llhttp refuses what it does not know of them',
    'blanks before a chunk extension': 'llhttp refuses blanks there',
    'trailers without those that would change the answer': 'llhttp refuses them, we leave them out',
    '204 that has a length': 'undici counts a body that a 204 never has',
    '304 that has a length': 'undici counts a body that a 304 never has',
    'a body after 304': 'undici has answered before it sees it',
    'a body in an answer to HEAD': 'undici has answered before it sees it',
    '100 before the answer': 'undici breaks the connection when 100 comes unasked',
    'an interim answer with a length, which has no body all the same': 'llhttp waits for it',
    'an empty line first': 'llhttp skips it',
    'a coding in HTTP/1.0': 'llhttp takes it, and does not say which version it was',
    'more bytes than the length': 'undici has answered before it sees them',
    'bytes after an empty body': 'undici has answered before it sees them',
    'a second answer behind the first': 'undici has answered before it sees it',
    'bytes after the last chunk': 'undici has answered before it sees them',
  };

  it.each(
    Object.values(ANSWERS)
      .flat()
      .map((each) => [each.name, each] as const),
  )('%s', async (name, each) => {
    const [one, two] = [await read(ours, each), await read(theirs, each)];
    if (Object.hasOwn(DIFFERENT, name)) expect(two).not.toEqual(one);
    else expect(two).toEqual(one);
  });

  it('whatever is put together by chance', async () => {
    const token = stringMatching(/^x-[a-z]{1,8}$/);
    const value = stringMatching(/^[!-~\u00a1-\u00ff]{0,12}$/);
    const body = stringMatching(/^[ -~\r\n]{0,40}$/);
    const answers = record({
      status: constantFrom(200, 201, 203, 301, 400, 404, 418, 500, 503),
      headers: array(tuple(token, value), { maxLength: 5 }),
      body,
      framing: constantFrom('length', 'chunked', 'close', 'short', 'twice'),
      size: integer({ min: 1, max: 16 }),
      cut: integer({ min: 1, max: 200 }),
    });
    const property = asyncProperty(answers, async (made) => {
      const lines = made.headers.map(([name, text]) => `${name}: ${text}\r\n`).join('');
      const length = made.body.length + (made.framing === 'short' ? 1 : 0);
      const declared = `content-length: ${length}\r\n`;
      const frames = {
        length: `${declared}\r\n${made.body}`,
        short: `${declared}\r\n${made.body}`,
        twice: `${declared}content-length: ${length + 1}\r\n\r\n${made.body}`,
        chunked: `transfer-encoding: chunked\r\n\r\n${chunked(made.body, made.size)}`,
        close: `\r\n${made.body}`,
      };
      const text = `HTTP/1.1 ${made.status} X\r\n${lines}${frames[made.framing]}`;
      const bytes = `${text.slice(0, made.cut)}‖${text.slice(made.cut)}`;
      const each = { name: '', bytes, closes: true, expected: 'malformed' as const };
      expect(await read(theirs, each)).toEqual(await read(ours, each));
    });
    await assert(property, { numRuns: 150 });
  });
});

describe('calls over undici', () => {
  it('send bodies framed as they were', async () => {
    const server = createServer((request, response) => {
      const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () =>
        response.end(
          JSON.stringify([length ?? null, coding ?? null, Buffer.concat(chunks).toString()]),
        ),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const fixture = new UpstreamFixture([(server.address() as AddressInfo).port], { over });
    opened.push(
      () => server.close(),
      () => fixture.close(),
    );
    const whole = await fixture.call({ method: 'POST', body: 'hello' }).ended;
    expect(JSON.parse(whole.body)).toEqual(['5', null, 'hello']);
    const chunks = fixture.call({ method: 'POST', openBody: true });
    await eventually(() => expect(chunks.sink).toBeDefined());
    for (const piece of ['5\r\nhel', 'lo\r\n1\r\n!\r\n0\r\n', '\r\n']) chunks.sink?.write(piece);
    chunks.sink?.end();
    expect(JSON.parse((await chunks.ended).body)).toEqual([null, 'chunked', 'hello!']);
  });

  it('fail as others do where nobody listens, and go on to another endpoint', async () => {
    const server = await RawServer.listen(({ socket }) => socket.write(OK));
    opened.push(() => server.kill());
    const dead = await RawServer.listen(() => {});
    const { port } = dead;
    await dead.kill();
    const alone = new UpstreamFixture([port], { over });
    const both = new UpstreamFixture([port, server.port], { over });
    opened.push(
      () => alone.close(),
      () => both.close(),
    );
    expect((await alone.call().ended).error).toBeInstanceOf(UpstreamConnectionError);
    for (let at = 0; at < 4; at++) expect((await both.call().ended).status).toBe(200);
  });

  it('try a kept connection that ended once more', async () => {
    const fixture = await fixtureOver(({ socket, turn, connection }) => {
      if (connection === 0 && turn === 1) socket.resetAndDestroy();
      else socket.write(OK);
    });
    expect((await fixture.call().ended).status).toBe(200);
    expect((await fixture.call().ended).status).toBe(200);
  });

  it('wait in order for a connection, and are turned away when too many wait', async () => {
    const waiting: Socket[] = [];
    const fixture = await fixtureOver(({ socket }) => waiting.push(socket), {
      connections: 1,
      pending: 1,
    });
    const [first, second, third] = [fixture.call(), fixture.call(), fixture.call()];
    expect((await third.ended).error).toBeInstanceOf(UpstreamBusyError);
    await eventually(() => expect(waiting).toHaveLength(1));
    waiting[0]?.write(OK);
    expect((await first.ended).status).toBe(200);
    await eventually(() => expect(waiting).toHaveLength(2));
    waiting[1]?.write(OK);
    expect((await second.ended).status).toBe(200);
    expect(fixture.waiting.count).toBe(0);
  });

  it('stop reading where nobody takes the body, and end with their caller', async () => {
    const fixture = await fixtureOver(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n');
      socket.write(Buffer.alloc(50_000_000));
    });
    const call = fixture.call();
    call.wants = false;
    await eventually(() => expect(call.bytes).toBeGreaterThan(0));
    await pause(50);
    expect(call.bytes).toBeLessThan(1_000_000);
    fixture.upstream.cancel(call);
    expect((await call.ended).error?.message).toContain('cancelled');
    expect((await fixture.call().ended).error).toBeUndefined();
  });

  it('end on time where no answer comes', async () => {
    const fixture = await fixtureOver(() => {}, { retry: false });
    const call = await fixture.call({ responseTimeout: 100 }).ended;
    expect(call.error?.statusCode).toBe(504);
  });
});

// Plays both ends of a proxy over raw sockets, and judges what came through. Plain JavaScript, so that it runs against any
// proxy without a build; see run-against.mjs.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const HEAD_END = '\r\n\r\n';
/** What the origin answers where a case says nothing else. */
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
/** How long stray bytes are waited for behind what was expected, in ms. */
const AFTERMATH = 10;
/** The longest a case may take, in ms. */
const PATIENCE = 1_500;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for something to become true, as long as a case may take. */
async function until(isSo) {
  for (const end = performance.now() + PATIENCE; !isSo() && performance.now() < end;)
    await pause(1);
}

/** The length of a chunked body at the front of a text, or undefined when it is not whole, or -1 when it is none. */
function chunkedLength(text) {
  let at = 0;
  for (;;) {
    const line = /^([\da-f]+)(?:[ \t]*;[^\r\n]*)?\r\n/i.exec(text.slice(at));
    if (!line) return /^[\da-f]*(?:[ \t]*;[^\r\n]*)?\r?$/i.test(text.slice(at)) ? undefined : -1;
    const size = Number.parseInt(line[1], 16);
    at += line[0].length;
    if (size > 0) {
      if (text.length < at + size + 2) return undefined;
      if (text.slice(at + size, at + size + 2) !== '\r\n') return -1;
      at += size + 2;
      continue;
    }
    if (text.startsWith('\r\n', at)) return at + 2;
    const end = text.indexOf(HEAD_END, at);
    return end === -1 ? undefined : end + 4;
  }
}

/** The chunks of a body put together. */
function unchunked(text) {
  let whole = '';
  let rest = text;
  for (;;) {
    const line = /^([\da-f]+)[^\r\n]*\r\n/i.exec(rest);
    const size = line ? Number.parseInt(line[1], 16) : 0;
    if (size === 0) return whole;
    whole += rest.slice(line[0].length, line[0].length + size);
    rest = rest.slice(line[0].length + size + 2);
  }
}

/** The server behind the proxy: answers as the current case says, and keeps what it was sent. */
export class Origin {
  constructor() {
    this.reset({});
    this.sockets = new Set();
    this.server = createServer((socket) => this.accept(socket));
  }

  reset({ answer = OK, close = false, reset = false }) {
    this.answer = answer;
    this.close = close;
    this.resets = reset;
    this.requests = [];
    this.received = '';
  }

  async listen(port = 0) {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return this.server.address().port;
  }

  async end() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  accept(socket) {
    let text = '';
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (bytes) => {
      const piece = bytes.toString('latin1');
      text += piece;
      if (!text.startsWith('GET /probe')) this.received += piece;
      for (let end = text.indexOf(HEAD_END); end !== -1; end = text.indexOf(HEAD_END)) {
        const head = text.slice(0, end + 2);
        const length = bodyLength(head, text.slice(end + 4));
        if (length === undefined || length < 0 || text.length < end + 4 + length) return;
        const body = text.slice(end + 4, end + 4 + length);
        text = text.slice(end + 4 + length);
        this.reply(socket, { head, body });
      }
    });
  }

  reply(socket, request) {
    const probe = /^GET (\/probe\/\d+)/.exec(request.head);
    if (probe) {
      const [, path] = probe;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`);
      return;
    }
    this.requests.push(request);
    socket.write(this.answer, 'latin1', () => {
      if (this.resets) socket.resetAndDestroy();
      else if (this.close) socket.end();
    });
  }
}

function bodyLength(head, rest) {
  if (/\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n/i.test(head)) return chunkedLength(rest);
  return Number(/\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n/i.exec(head)?.[1] ?? 0);
}

/** The answers in what a client got; the last may be cut off. */
function readAnswers(text, methods) {
  const answers = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf(HEAD_END);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(rest)?.[1] ?? 0);
    if (end === -1 || status === 0)
      return [...answers, { status, head: rest, body: '', whole: false }];
    const head = rest.slice(0, end + 2);
    rest = rest.slice(end + 4);
    if (status < 200 && status !== 101) continue;
    const answer = { status, head, ...takeBody(head, rest, methods[answers.length], status) };
    rest = rest.slice(answer.taken);
    answers.push(answer);
  }
  return answers;
}

function takeBody(head, rest, method, status) {
  if (method === 'HEAD' || status === 204 || status === 304)
    return { body: '', taken: 0, whole: true };
  if (/\r\ntransfer-encoding:[ \t]*chunked/i.test(head)) {
    const length = chunkedLength(rest);
    if (length === undefined || length < 0)
      return { body: unchunked(rest), taken: rest.length, whole: false };
    return { body: unchunked(rest.slice(0, length)), taken: length, whole: true };
  }
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1];
  if (length === undefined) return { body: rest, taken: rest.length, whole: 'closed' };
  const taken = Math.min(Number(length), rest.length);
  return { body: rest.slice(0, taken), taken, whole: taken === Number(length) };
}

/** Sends the pieces of a case, each when its turn has come, and gives all that comes back and how the connection ended. */
async function converse(port, pieces, { isEnough, turn = () => pause(5) }) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setNoDelay(true);
  const got = { text: '', ended: undefined };
  const over = new Promise((resolve) => {
    socket.on('error', () => (got.ended = 'reset'));
    socket.on('end', () => {
      got.ended ??= 'end';
      resolve();
    });
    socket.on('close', resolve);
    socket.on('data', (bytes) => {
      got.text += bytes.toString('latin1');
      if (isEnough(got.text)) resolve();
    });
  });
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await turn(index, got);
    if (socket.writable) socket.write(piece, 'latin1');
  }
  const limit = new AbortController();
  await Promise.race([
    over,
    new Promise((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      limit.signal.addEventListener('abort', () => clearTimeout(timer));
    }),
  ]);
  limit.abort();
  await pause(AFTERMATH);
  socket.destroy();
  return got;
}

let probes = 0;

/** Whether the next client gets its own answer: what stuck in the proxy would come now. */
async function isInStep(port) {
  const path = `/probe/${++probes}`;
  const { text } = await converse(port, [`GET ${path} HTTP/1.1\r\nHost: probe\r\n\r\n`], {
    isEnough: (got) => readAnswers(got, ['GET'])[0]?.whole === true,
  });
  const [answer] = readAnswers(text, ['GET']);
  return answer?.status === 200 && answer.body === path;
}

const list = (value) => (Array.isArray(value) ? value : [value]);

/** Runs a case; gives what is wrong, or nothing. */
export async function runCase(row, origin, port) {
  origin.reset(row);
  const pieces = list(row.send);
  const methods = row.methods ?? [/^\s*(\S+)/.exec(pieces[0])?.[1]];
  const wanted = row.answers ?? 1;
  const has = (text, count) => {
    const answers = readAnswers(text, methods);
    return answers.length >= count && answers.every((answer) => answer.whole === true);
  };
  const got = await converse(port, pieces, {
    isEnough: (text) => has(text, wanted),
    // As a client does that does not pipeline.
    ...(row.inTurn && { turn: (count, seen) => until(() => seen.ended || has(seen.text, count)) }),
  });
  const answers = readAnswers(got.text, methods);
  const problems = [
    ...judgeAnswers(row.expect, answers, got),
    ...judgeRequests(row.sees, origin, row.expect),
  ];
  origin.reset({});
  if (!(await isInStep(port))) problems.push('the next request did not get its own answer');
  return problems;
}

/** `refused` is an answer from 400 on, or the end of the connection without one. */
function judgeAnswers(expected, answers, got) {
  if (expected === 'refused') {
    const good = answers.filter(({ status }) => status < 400);
    return good.length > 0 ? [`it was answered ${good[0].status}, not refused`] : [];
  }
  const { status, body, head, not, cut = false, count } = expected;
  const [answer] = answers;
  // To break off before the first byte, and to answer for oneself, tell the client as well.
  if (cut && (answer ? answer.status >= 500 : got.ended)) return [];
  if (!answer) return [`there was no answer (${got.ended ?? 'silence'})`];
  const problems = [];
  if (status !== undefined && !list(status).includes(answer.status))
    problems.push(`the status is ${answer.status}, not ${list(status).join(' or ')}`);
  if (body !== undefined && !fits(body, answer.body))
    problems.push(`the body is ${JSON.stringify(answer.body.slice(0, 80))}`);
  if (head !== undefined && !head.test(answer.head)) problems.push(`the head lacks ${head}`);
  if (not?.test(answer.head)) problems.push(`the head has ${not}`);
  const whole = answer.whole === true || (answer.whole === 'closed' && got.ended === 'end');
  if (cut && whole) problems.push('a truncated answer looks whole');
  if (!cut && !whole) problems.push('a whole answer looks truncated');
  if (count !== undefined && answers.length !== count)
    problems.push(`there are ${answers.length} answers, not ${count}`);
  return problems;
}

function judgeRequests(sees, { requests, received }, expected) {
  const { count, head, not, body } = sees ?? {};
  const wanted = count ?? (expected === 'refused' ? 0 : undefined);
  const problems = [];
  if (wanted !== undefined && requests.length !== wanted)
    problems.push(`the origin got ${requests.length} whole requests, not ${wanted}`);
  if (head !== undefined && !head.test(requests[0]?.head ?? ''))
    problems.push(`the origin was not sent ${head}: ${JSON.stringify(received.slice(0, 200))}`);
  if (not?.test(received)) problems.push(`the origin was sent ${not}`);
  if (body !== undefined) {
    const sent = requests[0];
    const raw = sent?.body ?? '';
    const plain = /transfer-encoding/i.test(sent?.head ?? '') ? unchunked(raw) : raw;
    if (!fits(body, plain))
      problems.push(`the origin got the body ${JSON.stringify(plain.slice(0, 80))}`);
  }
  return problems;
}

function fits(wanted, text) {
  return wanted instanceof RegExp ? wanted.test(text) : wanted === text;
}

// Heads that are nearly right, and what Node makes of them. Plain JavaScript, so that bench/fuzz-lane.mjs runs millions of
// them without a build of the tests.
import * as fc from 'fast-check';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';

const SEEDS = [
  'GET /api/a HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nX-A: caf\xe9\r\n',
  'POST /api/a?b=1&c=%20 HTTP/1.1\r\nHost: x:80\r\nContent-Length: 5\r\nContent-Type: a/b; c="d"\r\n',
  'DELETE /api/%2e%2e/x HTTP/1.1\r\nHost: [::1]:80\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\n',
  'OPTIONS / HTTP/1.1\r\nHost:\tx\r\nX: \r\nY:a\tb \r\nConnection: close\r\n',
  'PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n',
  'PATCH /x?y HTTP/1.1\r\nhost: a.example\r\ncontent-length: 0\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer x\r\n',
  'HEAD //x;y/. HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nUpgrade: websocket\r\n',
];
const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ': ',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  'Host: y\r\n',
  'Content-Length: 1\r\n',
  'content-length:+5\r\n',
  'Content-Length: 5\t\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding : x\r\n',
  'Connection: close\r\n',
  'connection: keep-alive, x\r\n',
  ',',
  ';',
  '"',
  '(',
  '@',
  'HTTP/1.0',
  'HTTP/1.1',
  '\r\n ',
  '//',
  '#',
  '\\',
  '{',
  '|',
  '^',
  '<',
  '[',
  'X: a\r\n b',
  '  ',
  'A'.repeat(300),
];

const place = fc.integer({ min: 0, max: 1_000 });
const change = fc.oneof(
  fc.record({ kind: fc.constant('insert'), place, text: fc.constantFrom(...PIECES) }),
  fc.record({
    kind: fc.constant('byte'),
    place,
    text: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  }),
  fc.record({ kind: fc.constant('cut'), place, length: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('copy'),
    place,
    from: place,
    length: fc.integer({ min: 1, max: 40 }),
  }),
);

/** A head with the line end of its last line, now and then as it should be. */
export const nearlyRightHead = fc
  .tuple(fc.constantFrom(...SEEDS), fc.array(change, { maxLength: 4 }))
  .map(([seed, changes]) => changes.reduce(changed, seed));

function changed(text, { kind, place: at, text: piece = '', from = 0, length = 0 }) {
  const where = at % (text.length + 1);
  if (kind === 'insert') return text.slice(0, where) + piece + text.slice(where);
  if (kind === 'byte') return text.slice(0, where) + piece + text.slice(where + 1);
  if (kind === 'cut') return text.slice(0, where) + text.slice(where + length);
  const start = from % (text.length + 1);
  return text.slice(0, where) + text.slice(start, start + length) + text.slice(where);
}

/** Reads requests as Node's own server does, over streams in memory. */
export class NodeReader {
  #server = createServer((request, response) => this.#take(request, response));
  #got;

  constructor() {
    this.#server.maxHeadersCount = 0;
    this.#server.on('clientError', () => this.#got(undefined));
    // What Node takes for a request like any other, and the lane must not take at all.
    for (const event of ['upgrade', 'connect', 'checkContinue', 'checkExpectation'])
      this.#server.on(event, () => this.#got('otherwise'));
  }

  /** What Node reads: undefined where it refuses. */
  async read(bytes) {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    socket.setTimeout = socket.setNoDelay = socket.setKeepAlive = () => socket;
    socket.on('error', () => {});
    const got = new Promise((resolve) => (this.#got = resolve));
    this.#server.emit('connection', socket);
    socket.push(bytes);
    const result = await got;
    socket.destroy();
    return result;
  }

  #take(request, response) {
    const got = this.#got;
    const { method, url, rawHeaders } = request;
    const read = { method, url, rawHeaders: [...rawHeaders], keepAlive: response.shouldKeepAlive };
    let length = 0;
    request.on('data', (chunk) => (length += chunk.length));
    request.on('end', () => got({ ...read, length }));
    request.on('error', () => {});
  }
}

/** What is wrong where the lane takes a head: undefined when nothing is, or when it leaves the head to Node. */
export async function disagreement(head, text, node) {
  // The lane finds the first empty line; what stands behind is another request.
  if (text.includes('\r\n\r\n') || !text.endsWith('\r\n') || !head.read(text)) return undefined;
  const { method, url, keepAlive } = head;
  const rawHeaders = [...head.rawHeaders];
  const at = rawHeaders.findIndex(
    (name, place) => place % 2 === 0 && /^content-length$/i.test(name),
  );
  const length = at < 0 ? 0 : Number(rawHeaders[at + 1]);
  // Of a long body nobody needs to see all.
  if (length > 1 << 16) return undefined;
  const read = await node.read(Buffer.from(`${text}\r\n${'x'.repeat(length)}`, 'latin1'));
  const own = JSON.stringify({ method, url, rawHeaders, keepAlive, length });
  const other = JSON.stringify(read);
  return own === other ? 'agreed' : `lane ${own}, Node ${other}`;
}

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
const VERSION = 'Sec-WebSocket-Version: 13\r\n';
const open = (lines, line = 'GET /ws HTTP/1.1') => `${line}\r\nHost: a\r\n${lines}${VERSION}\r\n`;

const H2C =
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

/** Openings that are none, each with what a proxy that let them through would let through. */
const NONE = [
  ['h2c, and bytes before the answer', `${open(H2C)}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  ['h2c twice', open(`${H2C}Upgrade: h2c\r\n`)],
  ['two protocols', open(`${UPGRADE}Upgrade: h2c\r\n${KEY}`)],
  ['a list of protocols', open(`Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n${KEY}`)],
  ['TLS', open('Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n')],
  ['POST', open(UPGRADE + KEY, 'POST /ws HTTP/1.1')],
  ['no key', open(UPGRADE)],
  ['two keys', open(UPGRADE + KEY + KEY)],
  ['a short key', open(`${UPGRADE}Sec-WebSocket-Key: AAAA\r\n`)],
  ['a body', `${open(`${UPGRADE + KEY}Content-Length: 5\r\n`)}hello`],
  ['chunks', `${open(`${UPGRADE + KEY}Transfer-Encoding: chunked\r\n`)}0\r\n\r\n`],
  ['two hosts', open(`${UPGRADE + KEY}Host: b\r\n`)],
  ['early bytes', `${open(UPGRADE + KEY)}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['a path above the root', open(UPGRADE + KEY, 'GET /../ws HTTP/1.1')],
  ['an encoded slash', open(UPGRADE + KEY, 'GET /a%2fws HTTP/1.1')],
  ['another host in its target', open(UPGRADE + KEY, 'GET http://b/ws HTTP/1.1')],
];

/** What an origin may answer to an opening, and the status that the client must get. */
const REPLIES = [
  ['a refusal', 'HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nnope', 403],
  ['an ordinary answer', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', 200],
  [
    '426',
    'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\ncontent-length: 0\r\n\r\n',
    426,
  ],
  ['a redirect', 'HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n', 302],
  ['101 without a proof', ACCEPTED.replace(/Sec-WebSocket-Accept.*\r\n/, ''), 502, true],
  ['101 with the proof of another', ACCEPTED.replace('s3pP', 'AAAA'), 502, true],
  ['101 to another protocol', ACCEPTED.replace('websocket', 'h2c'), 502, true],
  ['nothing', '', 502],
];

/**
 * A wish for HTTP/2 is not heard (RFC 9110, 7.8): Java's own client says it with every first request, and goes on with
 * HTTP/1.1. What must never be: that it is passed on, or that the answer is a tunnel.
 */
/** @type {[name: string, send: string | string[], sees: object][]} */
const UNHEARD = [
  ['GET', open(H2C), { count: 1, not: /h2c|http2|upgrade/i }],
  [
    'a body',
    `${open(`${H2C}Content-Length: 5\r\n`, 'POST /ws HTTP/1.1')}hello`,
    { count: 1, not: /h2c|http2|upgrade/i, body: 'hello' },
  ],
  [
    'a body in chunks',
    [open(`${H2C}Transfer-Encoding: chunked\r\n`, 'POST /ws HTTP/1.1'), '5\r\nhello\r\n0\r\n\r\n'],
    { count: 1, not: /h2c|http2|upgrade/i, body: 'hello' },
  ],
];

export const UPGRADES = [
  ...UNHEARD.map(([name, send, sees]) => ({
    name: `a wish for h2c is not heard: ${name}`,
    send,
    sees,
    expect: { status: 200, body: 'ok', not: /upgrade|h2c/i },
    ours: true,
  })),
  {
    name: 'a wish for h2c is not heard: the connection goes on',
    send: [open(H2C), 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n'],
    inTurn: true,
    answers: 2,
    expect: { status: 200, count: 2 },
    sees: { count: 2, not: /h2c|http2|upgrade/i },
    ours: true,
  },
  ...NONE.map(([name, send]) => ({
    name: `no opening: ${name}`,
    send,
    expect: 'refused',
    sees: { count: 0, not: /smuggled/ },
    ours: true,
  })),
  ...REPLIES.map(([name, answer, status, ours = false]) => ({
    name: `answered by ${name}`,
    send: open(UPGRADE + KEY),
    answer,
    close: answer === '',
    expect: { status },
    ours,
  })),
  {
    name: 'opened, with what came behind the 101',
    send: open(UPGRADE + KEY),
    answer: `${ACCEPTED}frame`,
    close: true,
    expect: { status: 101, body: 'frame', head: /\r\nupgrade: websocket\r\n/i },
    sees: { count: 1, head: /\r\nupgrade: websocket\r\n/i },
  },
];

const LENGTH = 'content-length: 5\r\n';
const ok = (lines, body = '') => `HTTP/1.1 200 OK\r\n${lines}\r\n${body}`;

/** Answers that are whole: name, bytes, status, body, and whether the origin closes. */
const WHOLE = [
  ['a length', ok(LENGTH, 'hello'), 200, 'hello'],
  ['a length of 0', ok('content-length: 0\r\n'), 200, ''],
  [
    'chunks',
    ok('transfer-encoding: chunked\r\n', '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'),
    200,
    'hello',
  ],
  [
    'chunks in capitals',
    ok('Transfer-Encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    200,
    'hello',
  ],
  [
    'extensions of chunks',
    ok('transfer-encoding: chunked\r\n', '5;a="b"\r\nhello\r\n0;c\r\n\r\n'),
    200,
    'hello',
  ],
  [
    'trailers',
    ok('transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'),
    200,
    'hello',
  ],
  ['no bytes in chunks', ok('transfer-encoding: chunked\r\n', '0\r\n\r\n'), 200, ''],
  ['the end of the connection', ok('', 'hello'), 200, 'hello', true],
  ['the end of the connection, nothing before it', ok(''), 200, '', true],
  ['Connection: close', ok(`connection: close\r\n${LENGTH}`, 'hello'), 200, 'hello', true],
  ['HTTP/1.0 and a length', `HTTP/1.0 200 OK\r\n${LENGTH}\r\nhello`, 200, 'hello', true],
  ['HTTP/1.0 until the end', 'HTTP/1.0 200 OK\r\n\r\nhello', 200, 'hello', true],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 204, ''],
  [
    '304 with a length',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 99\r\netag: "x"\r\n\r\n',
    304,
    '',
  ],
  [
    '206',
    `HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-4/9\r\n${LENGTH}\r\nhello`,
    206,
    'hello',
  ],
  ['302', 'HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n', 302, ''],
  ['400', `HTTP/1.1 400 Bad Request\r\n${LENGTH}\r\nhello`, 400, 'hello'],
  [
    '401',
    `HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\n${LENGTH}\r\nhello`,
    401,
    'hello',
  ],
  ['404', `HTTP/1.1 404 Not Found\r\n${LENGTH}\r\nhello`, 404, 'hello'],
  ['418', `HTTP/1.1 418 Teapot\r\n${LENGTH}\r\nhello`, 418, 'hello'],
  ['500', `HTTP/1.1 500 Oops\r\n${LENGTH}\r\nhello`, 500, 'hello'],
  ['503', `HTTP/1.1 503 Busy\r\nretry-after: 1\r\n${LENGTH}\r\nhello`, 503, 'hello'],
  ['599', `HTTP/1.1 599 Odd\r\n${LENGTH}\r\nhello`, 599, 'hello'],
  ['no reason', `HTTP/1.1 200 \r\n${LENGTH}\r\nhello`, 200, 'hello'],
  ['no space behind the status', `HTTP/1.1 200\r\n${LENGTH}\r\nhello`, 200, 'hello'],
  ['100 before it', `HTTP/1.1 100 Continue\r\n\r\n${ok(LENGTH, 'hello')}`, 200, 'hello'],
  ['102 before it', `HTTP/1.1 102 Processing\r\n\r\n${ok(LENGTH, 'hello')}`, 200, 'hello'],
  [
    '103 before it',
    `HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n${ok(LENGTH, 'hello')}`,
    200,
    'hello',
  ],
  [
    'many 103 before it',
    `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)}${ok(LENGTH, 'hello')}`,
    200,
    'hello',
  ],
  [
    'all bytes',
    ok('content-length: 256\r\n', String.fromCharCode(...Array(256).keys())),
    200,
    String.fromCharCode(...Array(256).keys()),
  ],
  [
    'what looks like an answer',
    ok('content-length: 19\r\n', 'HTTP/1.1 500 Oops\r\n'),
    200,
    'HTTP/1.1 500 Oops\r\n',
  ],
  ['100 KiB', ok('content-length: 102400\r\n', 'z'.repeat(102_400)), 200, 'z'.repeat(102_400)],
];

/** Answers that are none: the client must get 502, and nothing of them. */
const NONE = [
  ['two lengths', ok('content-length: 5\r\ncontent-length: 6\r\n', 'hello!')],
  ['two equal lengths', ok('content-length: 5\r\ncontent-length: 5\r\n', 'hello'), true],
  ['a list of lengths', ok('content-length: 5, 6\r\n', 'hello!')],
  [
    'a length and chunks',
    ok('content-length: 5\r\ntransfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    true,
  ],
  ['a length with a sign', ok('content-length: +5\r\n', 'hello')],
  ['a negative length', ok('content-length: -5\r\n', 'hello')],
  ['a length in hex', ok('content-length: 0x5\r\n', 'hello')],
  ['an empty length', ok('content-length:\r\n', 'hello')],
  ['a length beyond 64 bits', ok('content-length: 99999999999999999999\r\n', 'hello')],
  ['an unknown encoding', ok('transfer-encoding: xchunked\r\n', '5\r\nhello\r\n0\r\n\r\n')],
  ['two encodings', ok('transfer-encoding: gzip, chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'), true],
  [
    'chunks twice',
    ok('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    true,
  ],
  [
    'chunks in HTTP/1.0',
    'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    true,
  ],
  ['a space before a colon', ok(`X : 1\r\n${LENGTH}`, 'hello')],
  ['a folded line', ok(`X: 1\r\n 2\r\n${LENGTH}`, 'hello'), true],
  ['a NUL in a value', ok(`X: a\0b\r\n${LENGTH}`, 'hello')],
  ['a control in a value', ok(`X: a\u0001b\r\n${LENGTH}`, 'hello'), true],
  ['a CR in a value', ok(`X: a\rb\r\n${LENGTH}`, 'hello')],
  ['a bare LF', ok(`X: a\nY: b\r\n${LENGTH}`, 'hello'), true],
  ['only bare LF', 'HTTP/1.1 200 OK\ncontent-length: 5\n\nhello', true],
  ['no colon', ok(`nonsense\r\n${LENGTH}`, 'hello')],
  ['no name', ok(`: x\r\n${LENGTH}`, 'hello'), true],
  ['a space in a name', ok(`X Y: 1\r\n${LENGTH}`, 'hello')],
  ['a NUL in its reason', `HTTP/1.1 200 O\0K\r\n${LENGTH}\r\nhello`, true],
  ['the status 099', `HTTP/1.1 099 Odd\r\n${LENGTH}\r\nhello`],
  ['the status 600', `HTTP/1.1 600 Odd\r\n${LENGTH}\r\nhello`, true],
  ['the status 999', `HTTP/1.1 999 Odd\r\n${LENGTH}\r\nhello`, true],
  ['a status of two digits', `HTTP/1.1 20 Odd\r\n${LENGTH}\r\nhello`],
  ['a status of four digits', `HTTP/1.1 2000 Odd\r\n${LENGTH}\r\nhello`],
  ['a status that is no number', `HTTP/1.1 abc Odd\r\n${LENGTH}\r\nhello`],
  ['HTTP/2.0', `HTTP/2.0 200 OK\r\n${LENGTH}\r\nhello`],
  ['HTTP/0.9', '<html>hello</html>'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
  [
    '101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  ],
  ['300 interim answers', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(300), true],
  ['a head of 100 KiB', ok(`X: ${'y'.repeat(102_400)}\r\n${LENGTH}`, 'hello')],
  ['nothing at all', ''],
  ['half a status line', 'HTTP/1.1 20'],
  ['half a head', 'HTTP/1.1 200 OK\r\ncontent-le'],
];

/** Answers that break off: the client must see that. */
const CUT = [
  ['less than its length', ok('content-length: 100\r\n', 'hello'), 'hello'],
  ['nothing of its length', ok('content-length: 100\r\n', ''), ''],
  ['half a chunk', ok('transfer-encoding: chunked\r\n', 'a\r\nhello'), /^(?:hello)?/],
  ['no last chunk', ok('transfer-encoding: chunked\r\n', '5\r\nhello\r\n'), 'hello'],
  [
    'no end of its last chunk',
    ok('transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\n'),
    'hello',
  ],
  ['half a size', ok('transfer-encoding: chunked\r\n', '5\r\nhello\r\n1'), 'hello'],
  [
    'a bad size',
    ok('transfer-encoding: chunked\r\n', '5\r\nhello\r\nzz\r\nx\r\n0\r\n\r\n'),
    /^hello/,
  ],
  [
    'a chunk longer than its size',
    ok('transfer-encoding: chunked\r\n', '5\r\nhello!\r\n0\r\n\r\n'),
    /^hello/,
  ],
  [
    'a trailer that is none',
    ok('transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX Y\r\n\r\n'),
    'hello',
  ],
];

/** Lines of an answer that must not reach the client. */
const DROPPED = [
  ['Keep-Alive: timeout=99', /timeout=99/],
  ['Proxy-Authenticate: Basic', /proxy-authenticate/i],
  ['Proxy-Connection: x', /proxy-connection/i],
  ['Trailer: X-Sum', /^trailer:/im],
  ['Upgrade: h2c', /h2c/],
  ['TE: trailers', /^te:/im],
  ['Connection: X-Hop\r\nX-Hop: 1', /x-hop/i],
];

/** Lines of an answer that must reach the client as they are. */
const KEPT = [
  'Set-Cookie: a=1; Path=/; HttpOnly',
  'Set-Cookie: a=1\r\nSet-Cookie: b=2',
  'X-Latin: caf\u00e9',
  'Cache-Control: no-store',
  'Content-Type: text/html; charset=latin1',
  'Content-Encoding: gzip',
  'ETag: W/"x"',
  'Vary: *',
  'Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT',
  'Location: http://elsewhere/x',
  'X-Empty:',
  '__proto__: x',
  'Content-Disposition: attachment; filename="a b"',
  'Strict-Transport-Security: max-age=1',
];

const quote = (text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
const send = 'GET /a HTTP/1.1\r\nHost: a\r\n\r\n';

export const ANSWERS = [
  ...WHOLE.map(([name, answer, status, body, close = false]) => ({
    name: `whole: ${name}`,
    send,
    answer,
    close,
    expect: { status, body, count: 1 },
    sees: { count: 1 },
  })),
  ...NONE.map(([name, answer, ours = false]) => ({
    name: `none: ${name}`,
    send,
    answer,
    close: true,
    expect: { status: [502, 504, 500], not: /\r\nx: /i },
    ours,
  })),
  ...CUT.map(([name, answer, body]) => ({
    name: `cut off: ${name}`,
    send,
    answer,
    close: true,
    expect: { status: [200, 502], cut: true, body },
  })),
  ...CUT.slice(0, 4).map(([name, answer]) => ({
    name: `reset: ${name}`,
    send,
    answer,
    reset: true,
    expect: { status: [200, 502], cut: true },
  })),
  ...DROPPED.map(([lines, not]) => ({
    name: `without ${lines.replaceAll('\r\n', ' + ')}`,
    send,
    answer: ok(`${lines}\r\n${LENGTH}`, 'hello'),
    expect: { status: 200, body: 'hello', not },
    ours: /^(?:Trailer|TE|Proxy-)/.test(lines),
  })),
  ...KEPT.map((lines) => ({
    name: `with ${lines.replaceAll('\r\n', ' + ')}`,
    send,
    answer: ok(`${lines}\r\n${LENGTH}`, 'hello'),
    expect: {
      status: 200,
      body: 'hello',
      head: new RegExp(
        `\\r\\n${quote(lines).replaceAll('\r\n', '\\r\\n').replace(/:$/, ':[ \\t]*')}\\r\\n`,
        'i',
      ),
    },
    ours: true,
  })),
  {
    name: 'never the reason of the origin',
    send,
    answer: `HTTP/1.1 200 <script>\r\n${LENGTH}\r\nhello`,
    expect: { status: 200, body: 'hello', not: /script/ },
    ours: true,
  },
  {
    name: 'to HTTP/1.0: chunks put together, the end by the connection',
    send: 'GET /a HTTP/1.0\r\nHost: a\r\n\r\n',
    answer: ok('transfer-encoding: chunked\r\n', '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'),
    expect: { status: 200, body: 'hello', not: /transfer-encoding/i },
  },
  {
    name: 'to HTTP/1.0: a break is no end',
    send: 'GET /a HTTP/1.0\r\nHost: a\r\n\r\n',
    answer: ok('transfer-encoding: chunked\r\n', '5\r\nhello\r\n'),
    close: true,
    expect: { cut: true },
    ours: true,
  },
  {
    name: 'bytes behind the end reach nobody',
    send,
    answer: `${ok(LENGTH, 'hello')}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`,
    expect: { status: [200, 502], not: /poison/ },
    sees: { count: 1 },
  },
  {
    name: 'bytes behind 204 reach nobody',
    send,
    answer: 'HTTP/1.1 204 No Content\r\ncontent-length: 6\r\n\r\npoison',
    expect: { status: [204, 502], count: 1 },
    sees: { count: 1 },
  },
  {
    name: 'a body of an answer to HEAD reaches nobody',
    send: 'HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: ok(LENGTH, 'hello'),
    expect: { status: [200, 502], count: 1 },
  },
];

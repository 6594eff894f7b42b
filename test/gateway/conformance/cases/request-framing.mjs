/** Values that are no Content-Length (RFC 9110, 8.6). */
const NO_LENGTHS = [
  '+1',
  '-1',
  '1,1',
  '1, 1',
  '1 1',
  '0x1',
  '1e0',
  '1.0',
  '',
  'abc',
  '1;',
  '"1"',
  '1_0',
  '1a',
  'NaN',
  '99999999999999999999',
  '18446744073709551617',
  '1\u000b',
  '\u00b2',
];

/** Values of Transfer-Encoding that leave the end of the body open to argument. */
const NO_ENCODINGS = [
  'xchunked',
  'chunk',
  'chunkedx',
  'chunked, chunked',
  'gzip, chunked',
  'chunked, gzip',
  'chunked, identity',
  'identity',
  'identity, chunked',
  'gzip',
  '"chunked"',
  'chunked;q=1',
  ',chunked',
  'chunked,',
  '\u000bchunked',
  'chunked\u000b',
  'chunked\0',
  '',
  'chun ked',
];

const CHUNKED = 'Transfer-Encoding: chunked';

/** Pairs of lines that frame a request twice. */
const TWICE = [
  ['two equal lengths', 'Content-Length: 1\r\nContent-Length: 1', 'x'],
  ['two lengths', 'Content-Length: 1\r\nContent-Length: 2', 'xx'],
  ['two lengths, the second in small letters', 'Content-Length: 2\r\ncontent-length: 1', 'xx'],
  ['a length and chunks', `Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'],
  ['chunks and a length', `${CHUNKED}\r\nContent-Length: 5`, '0\r\n\r\n'],
  ['a length of 0 and chunks', `Content-Length: 0\r\n${CHUNKED}`, '0\r\n\r\n'],
  ['chunks twice', `${CHUNKED}\r\n${CHUNKED}`, '0\r\n\r\n'],
  ['chunks and identity', `${CHUNKED}\r\nTransfer-Encoding: identity`, '0\r\n\r\n'],
  ['identity and chunks', `Transfer-Encoding: identity\r\n${CHUNKED}`, '0\r\n\r\n'],
  ['a length behind a space', 'Content-Length : 1', 'x'],
  ['a length behind a tab', 'Content-Length\t: 1', 'x'],
  ['chunks behind a space', 'Transfer-Encoding : chunked', '0\r\n\r\n'],
  ['chunks behind a tab', 'Transfer-Encoding\t: chunked', '0\r\n\r\n'],
  ['a length on a folded line', 'Content-Length:\r\n 1', 'x'],
  ['chunks on a folded line', 'Transfer-Encoding:\r\n chunked', '0\r\n\r\n'],
  ['chunks behind a bare LF', `X: 1\n${CHUNKED}`, '0\r\n\r\n'],
  ['chunks behind a bare CR', `X: 1\r${CHUNKED}`, '0\r\n\r\n'],
  ['a length behind a NUL', 'X: 1\0\r\nContent-Length: 1', 'x'],
];

/** Bodies in chunks that are none; the origin must never see a whole request. */
const NO_CHUNKS = [
  ['a size with 0x', '0x1\r\nx\r\n0\r\n\r\n'],
  ['a size with a sign', '+1\r\nx\r\n0\r\n\r\n'],
  ['a negative size', '-1\r\nx\r\n0\r\n\r\n'],
  ['a size behind a space', ' 1\r\nx\r\n0\r\n\r\n'],
  ['a size of no digits', '\r\nx\r\n0\r\n\r\n'],
  ['a size that is no number', 'g\r\nx\r\n0\r\n\r\n'],
  ['a size beyond 64 bits', '11111111111111111\r\nx\r\n0\r\n\r\n'],
  ['a size with an underscore', '1_0\r\nx\r\n0\r\n\r\n'],
  ['a size that ends with LF', '1\nx\r\n0\r\n\r\n'],
  ['a size that ends with CR', '1\rx\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '1\r\nxx\r\n0\r\n\r\n'],
  ['a chunk that ends with LF', '1\r\nx\n0\r\n\r\n'],
  ['a chunk without an end', '1\r\nx0\r\n\r\n'],
  ['an extension with a LF', '1;a\nb\r\nx\r\n0\r\n\r\n'],
  ['an extension with a NUL', '1;a\0b\r\nx\r\n0\r\n\r\n'],
  ['a trailer behind a bare LF', '1\r\nx\r\n0\r\nX: 1\n\r\n'],
  ['a trailer with a space in its name', '1\r\nx\r\n0\r\nX y: 1\r\n\r\n'],
  ['a trailer without a colon', '1\r\nx\r\n0\r\nnonsense\r\n\r\n'],
  ['extensions without end', `1;${'a'.repeat(40_000)}\r\nx\r\n0\r\n\r\n`],
];

const SOUND = [
  ['a length', 'Content-Length: 5', 'hello', 'hello'],
  ['a length of 0', 'Content-Length: 0', '', ''],
  ['a length with zeros in front', 'Content-Length: 005', 'hello', 'hello'],
  ['a length between blanks', 'Content-Length:  5 ', 'hello', 'hello'],
  ['a length in odd letters', 'cOnTeNt-LeNgTh: 5', 'hello', 'hello'],
  ['chunks', CHUNKED, '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n', 'hello'],
  ['chunks in capitals', 'TRANSFER-ENCODING: CHUNKED', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
  ['sizes with zeros in front', CHUNKED, '0005\r\nhello\r\n00\r\n\r\n', 'hello'],
  ['a size in capitals', CHUNKED, 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  ['extensions of chunks', CHUNKED, '5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n', 'hello'],
  ['trailers', CHUNKED, '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n', 'hello'],
  ['no bytes in chunks', CHUNKED, '0\r\n\r\n', ''],
  [
    'all bytes',
    'Content-Length: 256',
    String.fromCharCode(...Array(256).keys()),
    String.fromCharCode(...Array(256).keys()),
  ],
  [
    'what looks like a request',
    'Content-Length: 23',
    'GET /admin HTTP/1.1\r\n\r\n',
    'GET /admin HTTP/1.1\r\n\r\n',
  ],
  ['64 KiB', 'Content-Length: 65536', 'y'.repeat(65_536), 'y'.repeat(65_536)],
];

const post = (lines, body, version = '1.1') =>
  `POST /f HTTP/${version}\r\nHost: a\r\n${lines}\r\nConnection: close\r\n\r\n${body}`;

/** What might be taken for a second request, were the first one's end somewhere else. */
const NEXT = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

export const REQUEST_FRAMING = [
  ...NO_LENGTHS.map((value) => ({
    name: `the length ${JSON.stringify(value)}`,
    send: post(`Content-Length: ${value}`, `x${NEXT}`),
    expect: 'refused',
    sees: { count: 0, not: /smuggled/ },
  })),
  ...NO_ENCODINGS.map((value) => ({
    name: `the encoding ${JSON.stringify(value)}`,
    send: post(`Transfer-Encoding: ${value}`, `0\r\n\r\n${NEXT}`),
    expect: 'refused',
    sees: { count: 0, not: /^GET \/smuggled/m },
  })),
  ...TWICE.map(([name, lines, body]) => ({
    name,
    send: post(lines, `${body}${NEXT}`),
    expect: 'refused',
    sees: { count: 0, not: /^GET \/smuggled/m },
  })),
  ...NO_CHUNKS.map(([name, body]) => ({
    name: `a body with ${name}`,
    send: post(CHUNKED, `${body}${NEXT}`),
    expect: 'refused',
    sees: { count: 0, not: /^GET \/smuggled/m },
  })),
  ...SOUND.map(([name, lines, body, plain]) => ({
    name: `a body with ${name}`,
    send: post(lines, body),
    expect: { status: 200, body: 'ok' },
    sees: { count: 1, body: plain },
  })),
  ...['GET', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'].map((method) => ({
    name: `a body of ${method}`,
    send: `${method} /f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`,
    answer: 'HTTP/1.1 204 No Content\r\n\r\n',
    expect: { status: 204 },
    sees: { count: 1, body: 'hello' },
    // Not every proxy lets these through, and none must.
    ours: true,
  })),
  {
    name: 'chunks in HTTP/1.0',
    send: post(CHUNKED, `0\r\n\r\n${NEXT}`, '1.0'),
    expect: 'refused',
    sees: { count: 0, not: /smuggled/ },
  },
  {
    name: 'a body of HTTP/1.0',
    send: post('Content-Length: 5', 'hello', '1.0'),
    expect: { status: 200, body: 'ok' },
    sees: { count: 1, body: 'hello' },
  },
  {
    name: 'a header that only looks like an encoding',
    send: post('Transfer_Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
    expect: { status: 200, body: 'ok' },
    sees: { count: 1, not: /\r\ntransfer[-_]encoding: chunked/i, body: '0\r\n\r\n' },
    ours: true,
  },
  {
    name: 'a body beyond the limit',
    send: post('Content-Length: 1048577', ''),
    expect: { status: 413 },
    sees: { count: 0 },
    ours: true,
  },
];

/** An answer as bytes, and what a strict reader makes of it. */
export interface AnswerCase {
  readonly name: string;
  /** latin1; `‖` marks where the server pauses. */
  readonly bytes: string;
  readonly method?: 'GET' | 'HEAD';
  /** Whether the server closes the connection behind it. */
  readonly closes?: boolean;
  readonly expected: Expected;
}

/** A whole answer, or why there is none: against the protocol, or cut off. */
type Expected =
  | {
      readonly status: number;
      readonly headers?: readonly string[];
      readonly body?: string;
      readonly trailers?: readonly string[];
      readonly informations?: readonly number[];
      /** Whether the connection serves the next call too. */
      readonly keeps: boolean;
    }
  | 'malformed'
  | 'cut off';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

function whole(
  name: string,
  bytes: string,
  expected: Exclude<Expected, string>,
  more: Pick<AnswerCase, 'method' | 'closes'> = {},
): AnswerCase {
  return { name, bytes, expected, ...more };
}

function malformed(name: string, bytes: string, method: 'GET' | 'HEAD' = 'GET'): AnswerCase {
  return { name, bytes, method, expected: 'malformed' };
}

function cutOff(name: string, bytes: string): AnswerCase {
  return { name, bytes, closes: true, expected: 'cut off' };
}

const framing: readonly AnswerCase[] = [
  whole('a body with a length', `${OK}content-length: 5\r\n\r\nhello`, {
    status: 200,
    headers: ['content-length', '5'],
    body: 'hello',
    keeps: true,
  }),
  whole('a body with a length in two packets', `${OK}content-length: 5\r\n\r\nhe‖llo`, {
    status: 200,
    body: 'hello',
    keeps: true,
  }),
  whole('a head in pieces', 'HTT‖P/1.1 2‖00 OK\r‖\ncontent-length: 2\r\n\r‖\nok', {
    status: 200,
    body: 'ok',
    keeps: true,
  }),
  whole('an empty body', `${OK}content-length: 0\r\n\r\n`, { status: 200, body: '', keeps: true }),
  whole('a length with leading zeros', `${OK}content-length: 002\r\n\r\nok`, {
    status: 200,
    body: 'ok',
    keeps: true,
  }),
  whole('a chunked body', `${CHUNKED}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`, {
    status: 200,
    headers: [],
    body: 'abcde',
    keeps: true,
  }),
  whole('a chunked body cut anywhere', `${CHUNKED}3‖\r‖\na‖bc\r‖\n0\r\n‖\r\n`, {
    status: 200,
    body: 'abc',
    keeps: true,
  }),
  whole('chunk sizes in capitals and with zeros', `${CHUNKED}000A\r\n0123456789\r\n0\r\n\r\n`, {
    status: 200,
    body: '0123456789',
    keeps: true,
  }),
  whole('chunk extensions', `${CHUNKED}2;a=b; c="d"\r\nok\r\n0;last\r\n\r\n`, {
    status: 200,
    body: 'ok',
    keeps: true,
  }),
  whole('blanks before a chunk extension', `${CHUNKED}2 ;a\r\nok\r\n0\r\n\r\n`, {
    status: 200,
    body: 'ok',
    keeps: true,
  }),
  whole('an empty chunked body', `${CHUNKED}0\r\n\r\n`, { status: 200, body: '', keeps: true }),
  whole('trailers', `${CHUNKED}2\r\nok\r\n0\r\nX-Sum: 7\r\nx-more:  b \r\n\r\n`, {
    status: 200,
    body: 'ok',
    trailers: ['X-Sum', '7', 'x-more', 'b'],
    keeps: true,
  }),
  whole(
    'trailers without those that would change the answer',
    `${CHUNKED}0\r\ncontent-length: 9\r\nTransfer-Encoding: chunked\r\nconnection: x\r\nset-cookie: a\r\nok: 1\r\n\r\n`,
    { status: 200, trailers: ['ok', '1'], keeps: true },
  ),
  whole('a coding in capitals', `${OK}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`, {
    status: 200,
    keeps: true,
  }),
  whole(
    'a body until the end of the connection',
    `${OK}\r\nall of it`,
    { status: 200, body: 'all of it', keeps: false },
    { closes: true },
  ),
  whole(
    'an empty body until the end of the connection',
    `${OK}\r\n`,
    { status: 200, body: '', keeps: false },
    { closes: true },
  ),
  whole(
    'an HTTP/1.0 answer until the end of the connection',
    'HTTP/1.0 200 OK\r\n\r\nold',
    { status: 200, body: 'old', keeps: false },
    { closes: true },
  ),
];

const bodyless: readonly AnswerCase[] = [
  whole('204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, headers: [], keeps: true }),
  whole('204 that has a length', 'HTTP/1.1 204 No Content\r\ncontent-length: 7\r\n\r\n', {
    status: 204,
    headers: [],
    keeps: true,
  }),
  whole('204 that has a coding', 'HTTP/1.1 204 X\r\ntransfer-encoding: chunked\r\n\r\n', {
    status: 204,
    headers: [],
    keeps: true,
  }),
  whole('304 that has a length', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n', {
    status: 304,
    headers: ['content-length', '7'],
    keeps: true,
  }),
  whole('304 that has a coding', 'HTTP/1.1 304 X\r\ntransfer-encoding: chunked\r\n\r\n', {
    status: 304,
    headers: [],
    keeps: true,
  }),
  whole(
    'an answer to HEAD with a length',
    `${OK}content-length: 1000\r\n\r\n`,
    { status: 200, headers: ['content-length', '1000'], body: '', keeps: true },
    { method: 'HEAD' },
  ),
  whole(
    'an answer to HEAD with a coding',
    `${OK}transfer-encoding: chunked\r\n\r\n`,
    { status: 200, headers: [], body: '', keeps: true },
    { method: 'HEAD' },
  ),
  whole(
    'an answer to HEAD without either',
    `${OK}a: b\r\n\r\n`,
    { status: 200, headers: ['a', 'b'], body: '', keeps: true },
    { method: 'HEAD' },
  ),
  malformed('a body after 204', 'HTTP/1.1 204 X\r\ncontent-length: 2\r\n\r\nok'),
  malformed('a body after 304', 'HTTP/1.1 304 X\r\n\r\nok'),
  malformed('a body in an answer to HEAD', `${OK}content-length: 2\r\n\r\nok`, 'HEAD'),
];

const interim: readonly AnswerCase[] = [
  whole('100 before the answer', `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 0\r\n\r\n`, {
    status: 200,
    informations: [100],
    keeps: true,
  }),
  whole(
    'several interim answers',
    `HTTP/1.1 102 X\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n‖HTTP/1.1 199 X\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
    { status: 200, body: 'ok', informations: [102, 103, 199], keeps: true },
  ),
  whole(
    'an interim answer with a length, which has no body all the same',
    `HTTP/1.1 100 X\r\ncontent-length: 3\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
    { status: 200, body: 'ok', informations: [100], keeps: true },
  ),
  whole(
    '200 interim answers',
    `${'HTTP/1.1 102 X\r\n\r\n'.repeat(200)}${OK}content-length: 0\r\n\r\n`,
    { status: 200, informations: Array.from({ length: 200 }, () => 102), keeps: true },
  ),
  malformed('more than 200 interim answers', 'HTTP/1.1 102 X\r\n\r\n'.repeat(201)),
  malformed('101 that nobody asked for', 'HTTP/1.1 101 X\r\nupgrade: h2c\r\n\r\n'),
  cutOff('only an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'),
];

const heads: readonly AnswerCase[] = [
  whole('no reason phrase', 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n', {
    status: 200,
    keeps: true,
  }),
  whole('no blank before an absent reason', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', {
    status: 200,
    keeps: true,
  }),
  whole('a status nobody has registered', 'HTTP/1.1 599 X\r\ncontent-length: 0\r\n\r\n', {
    status: 599,
    keeps: true,
  }),
  whole(
    'names as they are written and values without blanks around',
    `${OK}X-Mixed-Case:\t a b \t\r\nempty:\r\ncontent-length: 0\r\n\r\n`,
    {
      status: 200,
      headers: ['X-Mixed-Case', 'a b', 'empty', '', 'content-length', '0'],
      keeps: true,
    },
  ),
  whole('bytes above ASCII in a value', `${OK}x: caf\xe9 \xff\r\ncontent-length: 0\r\n\r\n`, {
    status: 200,
    headers: ['x', 'caf\xe9 \xff', 'content-length', '0'],
    keeps: true,
  }),
  whole(
    'a field more than once',
    `${OK}set-cookie: a\r\nset-cookie: b\r\ncontent-length: 0\r\n\r\n`,
    {
      status: 200,
      headers: ['set-cookie', 'a', 'set-cookie', 'b', 'content-length', '0'],
      keeps: true,
    },
  ),
  whole(
    'a field named like something of JavaScript',
    `${OK}__proto__: x\r\nconstructor: y\r\ncontent-length: 0\r\n\r\n`,
    {
      status: 200,
      headers: ['__proto__', 'x', 'constructor', 'y', 'content-length', '0'],
      keeps: true,
    },
  ),
  whole(
    'every character a name may have',
    `${OK}!#$%&'*+-.^_\`|~aZ09: x\r\ncontent-length: 0\r\n\r\n`,
    {
      status: 200,
      headers: ["!#$%&'*+-.^_`|~aZ09", 'x', 'content-length', '0'],
      keeps: true,
    },
  ),
  malformed('no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'),
  malformed('HTTP/0.9', 'hello'),
  malformed('HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'),
  malformed('HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'),
  malformed('a version in small letters', 'http/1.1 200 OK\r\n\r\n'),
  malformed('an empty line first', `\r\n${OK}content-length: 0\r\n\r\n`),
  malformed('a blank first', ` ${OK}content-length: 0\r\n\r\n`),
  malformed('two blanks before the status', 'HTTP/1.1  200 OK\r\n\r\n'),
  malformed('a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'),
  malformed('a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'),
  malformed('a status with a sign', 'HTTP/1.1 -20 OK\r\n\r\n'),
  malformed('a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'),
  malformed('a status above 599', 'HTTP/1.1 600 OK\r\n\r\n'),
  malformed('a status 999', 'HTTP/1.1 999 OK\r\n\r\n'),
  malformed('a control character in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'),
  malformed('a bare LF behind the status line', 'HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n'),
  malformed('bare LFs all over', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'),
  malformed('a bare CR in a value', `${OK}a: b\rc: d\r\n\r\n`),
  malformed('a bare LF in a value', `${OK}a: b\nc: d\r\n\r\n`),
  malformed('NUL in a value', `${OK}a: b\0c\r\n\r\n`),
  malformed('an escape character in a value', `${OK}a: \x1b[31m\r\n\r\n`),
  malformed('DEL in a value', `${OK}a: b\x7f\r\n\r\n`),
  malformed('NUL in a name', `${OK}a\0b: c\r\n\r\n`),
  malformed('a byte above ASCII in a name', `${OK}caf\xe9: c\r\n\r\n`),
  malformed('a blank in a name', `${OK}a b: c\r\n\r\n`),
  malformed('a blank before a colon', `${OK}content-length : 0\r\n\r\n`),
  malformed('a tab before a colon', `${OK}content-length\t: 0\r\n\r\n`),
  malformed('no name', `${OK}: x\r\n\r\n`),
  malformed('no colon', `${OK}nonsense\r\n\r\n`),
  malformed('a folded value', `${OK}a: b\r\n c\r\n\r\n`),
  malformed('a value folded by a tab', `${OK}a: b\r\n\tc\r\n\r\n`),
  malformed('a blank before the first field', `${OK} a: b\r\n\r\n`),
  malformed('a head longer than 64 KiB', `${OK}a: ${'x'.repeat(66_000)}\r\n\r\n`),
  malformed('a head of 64 KiB that does not end', `${OK}a: ${'x'.repeat(66_000)}`),
];

const lengths: readonly AnswerCase[] = [
  malformed('two equal lengths', `${OK}content-length: 2\r\ncontent-length: 2\r\n\r\nok`),
  malformed('two different lengths', `${OK}content-length: 2\r\nContent-Length: 3\r\n\r\nok`),
  malformed('a list of lengths', `${OK}content-length: 2, 2\r\n\r\nok`),
  malformed('a length with a sign', `${OK}content-length: +2\r\n\r\nok`),
  malformed('a negative length', `${OK}content-length: -2\r\n\r\nok`),
  malformed('a hexadecimal length', `${OK}content-length: 0x2\r\n\r\nok`),
  malformed('a length with a fraction', `${OK}content-length: 2.0\r\n\r\nok`),
  malformed('an empty length', `${OK}content-length:\r\n\r\n`),
  malformed('a length of words', `${OK}content-length: two\r\n\r\nok`),
  malformed('a length beyond all measure', `${OK}content-length: 99999999999999999999\r\n\r\n`),
  malformed(
    'a length and a coding',
    `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok`,
  ),
  malformed(
    'a coding and a length',
    `${OK}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\nok`,
  ),
  malformed(
    'a length and a coding in an answer to HEAD',
    `${OK}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n`,
    'HEAD',
  ),
  malformed('another coding', `${OK}transfer-encoding: gzip\r\n\r\n`),
  malformed('two codings', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  malformed('chunked twice', `${OK}transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n`),
  malformed(
    'chunked in two fields',
    `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  ),
  malformed('a coding with something before it', `${OK}transfer-encoding: xchunked\r\n\r\n`),
  malformed('identity', `${OK}transfer-encoding: identity\r\ncontent-length: 2\r\n\r\nok`),
  malformed(
    'a coding in HTTP/1.0',
    'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  malformed('more bytes than the length', `${OK}content-length: 2\r\n\r\nokay`),
  malformed('bytes after an empty body', `${OK}content-length: 0\r\n\r\nx`),
  malformed(
    'a second answer behind the first',
    `${OK}content-length: 2\r\n\r\nok${OK}content-length: 4\r\n\r\nevil`,
  ),
  malformed('bytes after the last chunk', `${CHUNKED}0\r\n\r\nx`),
];

const chunks: readonly AnswerCase[] = [
  malformed('a chunk size that is none', `${CHUNKED}zz\r\n`),
  malformed('an empty chunk size', `${CHUNKED}\r\n`),
  malformed('a chunk size with a prefix', `${CHUNKED}0x2\r\nok\r\n`),
  malformed('a chunk size with a sign', `${CHUNKED}+2\r\nok\r\n`),
  malformed('a negative chunk size', `${CHUNKED}-2\r\nok\r\n`),
  malformed('a blank before a chunk size', `${CHUNKED} 2\r\nok\r\n`),
  malformed('a blank behind a chunk size', `${CHUNKED}2 \r\nok\r\n`),
  malformed('an underscore in a chunk size', `${CHUNKED}1_0\r\n`),
  malformed('a chunk size beyond all measure', `${CHUNKED}fffffffffffffffff\r\n`),
  malformed('a bare LF behind a chunk size', `${CHUNKED}2\nok\r\n0\r\n\r\n`),
  malformed('a bare CR behind a chunk size', `${CHUNKED}2\rok\r\n0\r\n\r\n`),
  malformed('a control character in a chunk extension', `${CHUNKED}2;a=\0\r\nok\r\n`),
  malformed('a chunk longer than its size', `${CHUNKED}2\r\nokay\r\n0\r\n\r\n`),
  malformed('a bare LF behind a chunk', `${CHUNKED}2\r\nok\n0\r\n\r\n`),
  malformed('a line of a chunk that does not end', `${CHUNKED}2;${'x'.repeat(2_000)}`),
  malformed(
    'too many chunk extensions',
    `${CHUNKED}${`1;${'x'.repeat(1_000)}\r\na\r\n`.repeat(20)}`,
  ),
  malformed('a malformed trailer', `${CHUNKED}0\r\nno colon\r\n\r\n`),
  malformed('a folded trailer', `${CHUNKED}0\r\na: b\r\n c\r\n\r\n`),
  malformed('a bare LF in trailers', `${CHUNKED}0\r\na: b\n\r\n\r\n`),
  malformed(
    'trailers longer than 64 KiB',
    `${CHUNKED}0\r\n${`a: ${'x'.repeat(990)}\r\n`.repeat(70)}`,
  ),
];

const hops: readonly AnswerCase[] = [
  whole('close', `${OK}Connection: close\r\ncontent-length: 2\r\n\r\nok`, {
    status: 200,
    headers: ['content-length', '2'],
    body: 'ok',
    keeps: false,
  }),
  whole(
    'close among others, in capitals',
    `${OK}connection: x, CLOSE\r\ncontent-length: 0\r\n\r\n`,
    {
      status: 200,
      keeps: false,
    },
  ),
  whole(
    'keep-alive and close',
    `${OK}connection: keep-alive\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
    {
      status: 200,
      keeps: false,
    },
  ),
  whole('HTTP/1.0 without keep-alive', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', {
    status: 200,
    body: 'ok',
    keeps: false,
  }),
  whole(
    'HTTP/1.0 with keep-alive',
    'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok',
    { status: 200, body: 'ok', keeps: true },
  ),
  whole(
    'fields of this hop',
    `${OK}Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nProxy-Connection: x\r\nTE: trailers\r\nTrailer: a\r\nUpgrade: h2c\r\nproxy-authorization: x\r\nProxy-Authentication-Info: x\r\ncontent-length: 0\r\n\r\n`,
    { status: 200, headers: ['content-length', '0'], keeps: true },
  ),
  whole(
    'fields that Connection names',
    `${OK}x-secret: 1\r\nConnection: X-Secret, , x-other\r\nX-OTHER: 2\r\nkept: 3\r\ncontent-length: 0\r\n\r\n`,
    { status: 200, headers: ['kept', '3', 'content-length', '0'], keeps: true },
  ),
  whole(
    'fields that Connection must not name',
    `${OK}connection: content-length, content-type, set-cookie, cache-control\r\ncontent-type: a\r\nset-cookie: b\r\ncache-control: c\r\ncontent-length: 2\r\n\r\nok`,
    {
      status: 200,
      headers: [
        'content-type',
        'a',
        'set-cookie',
        'b',
        'cache-control',
        'c',
        'content-length',
        '2',
      ],
      body: 'ok',
      keeps: true,
    },
  ),
];

const cut: readonly AnswerCase[] = [
  cutOff('nothing', ''),
  cutOff('half a status line', 'HTTP/1.1 2'),
  cutOff('half a head', `${OK}content-length: 2\r\n`),
  cutOff('no body', `${OK}content-length: 2\r\n\r\n`),
  cutOff('half a body', `${OK}content-length: 10\r\n\r\nhalf`),
  cutOff('no chunk', CHUNKED),
  cutOff('half a chunk', `${CHUNKED}5\r\nab`),
  cutOff('a chunk without its line end', `${CHUNKED}2\r\nok`),
  cutOff('no last chunk', `${CHUNKED}2\r\nok\r\n`),
  cutOff('a last chunk without its empty line', `${CHUNKED}2\r\nok\r\n0\r\n`),
  cutOff('half the trailers', `${CHUNKED}0\r\na: b\r\n`),
];

export const ANSWERS: Readonly<Record<string, readonly AnswerCase[]>> = {
  framing,
  'answers without a body': bodyless,
  'interim answers': interim,
  heads,
  'lengths and codings': lengths,
  chunks,
  'hop by hop': hops,
  'answers cut off': cut,
};

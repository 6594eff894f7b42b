// The awkward exchanges. Each gives 'ok', with or without a remark, or says what was wrong.
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Sends bytes and gathers what comes until something is true of it, the connection ends, or patience does. */
function exchange(port, bytes, { until = () => false, patience = 700, react } = {}) {
  return new Promise((resolve) => {
    let text = '';
    let reaction = react;
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const finish = (end) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, end, status: /^HTTP\/1\.[01] (\d+)/.exec(text)?.[1] ?? end });
    };
    const timer = setTimeout(() => finish('silence'), patience);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (reaction?.(text, socket)) reaction = undefined;
      if (until(text)) finish('done');
    });
    socket.on('end', () => finish('end'));
    socket.on('close', () => finish('close'));
    socket.on('error', (error) => finish(error.code));
  });
}

const HOST = 'Host: gw.example\r\n';
const get = (path = '/api/x', headers = '') => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;
const post = (headers, body) => `POST /api/x HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
/** Whether a body of at least so many bytes has come. */
const body = (length) => (text) => {
  const end = text.indexOf('\r\n\r\n');
  return end >= 0 && text.length >= end + 4 + length;
};
const has = (pattern) => (text) => pattern.test(text);
const isAnswered = (text) => / [45]\d\d /.test(text) || body(2)(text);
const verdict = (right, wrong) => (right ? 'ok' : wrong);

/** Two of the same on one connection: the second comes only if the first was framed rightly. */
async function twice(port, status) {
  const all = new RegExp(`HTTP/1\\.1 ${status}.*HTTP/1\\.1 ${status}`, 's');
  return exchange(port, get() + get(), { until: has(all) });
}

/** A head that two readers could understand differently: refused, or not answered at all. */
function refused(bytes) {
  return async ({ port, upstream }) => {
    upstream.answer = 'plain';
    const before = upstream.requests.length;
    const { status } = await exchange(port, bytes, { until: isAnswered, patience: 500 });
    const reached = upstream.requests.length - before;
    if (reached === 0) return `ok ${status === 'silence' ? '' : status}`.trim();
    if (reached > 1) return `reached the upstream ${reached} times`;
    return /\r\nx-injected: 1/i.test(upstream.last.head) ? 'INJECTED' : 'accepted';
  };
}

/** A client that leaves: the upstream must hear of it. */
function leaving(answer, after) {
  return async ({ port, upstream }) => {
    upstream.answer = answer;
    const before = upstream.closed;
    const socket = connect(port, '127.0.0.1', () => socket.write(get()));
    socket.on('error', () => {});
    socket.resume();
    await pause(after);
    socket.destroy();
    await pause(500);
    return verdict(upstream.closed > before, 'the upstream goes on');
  };
}

export const CHECKS = {
  'HEAD keeps its length, without a body': async ({ port, upstream }) => {
    upstream.answer = 'head';
    const { status, text } = await exchange(port, `HEAD /api/x HTTP/1.1\r\n${HOST}\r\n`, {
      until: body(0),
    });
    if (status !== '200') return `answered ${status}`;
    return verdict(/content-length: 1234/i.test(text), 'length lost');
  },
  '304 with a length': async ({ port, upstream }) => {
    upstream.answer = '304';
    const { end } = await twice(port, 304);
    return verdict(end === 'done', `second one: ${end}`);
  },
  'no content, 204': async ({ port, upstream }) => {
    upstream.answer = '204';
    const { end, text } = await twice(port, 204);
    if (end !== 'done') return `second one: ${end}`;
    return verdict(!/content-length|transfer-encoding/i.test(text), 'framing added');
  },
  'chunked answer': async ({ port, upstream }) => {
    upstream.answer = 'chunked';
    const { text } = await exchange(port, get(), { until: has(/0\r\n\r\n|hello world$/) });
    return verdict(/hello/.test(text) && / world/.test(text), 'body lost');
  },
  'answer that ends with its connection': async ({ port, upstream }) => {
    upstream.answer = 'close';
    const { text, end } = await exchange(port, get(), { until: has(/0\r\n\r\n/) });
    return verdict(/until close/.test(text) && end !== 'silence', end);
  },
  'HTTP/1.0 client': async ({ port, upstream }) => {
    upstream.answer = 'chunked';
    const { text, end } = await exchange(port, `GET /api/x HTTP/1.0\r\n${HOST}\r\n`);
    if (/transfer-encoding/i.test(text)) return 'chunks to HTTP/1.0';
    return verdict(/hello world/.test(text) && end !== 'silence', end);
  },
  'Expect: 100-continue': async ({ port, upstream }) => {
    upstream.answer = 'count';
    const { text, end } = await exchange(
      port,
      post('content-length: 5\r\nExpect: 100-continue\r\n', ''),
      {
        react: (so, socket) => so.startsWith('HTTP/1.1 100') && socket.write('hello'),
        until: has(/got 5/),
        patience: 1_500,
      },
    );
    return verdict(/got 5/.test(text), end);
  },
  'trailers, asked for': async ({ port, upstream }) => {
    upstream.answer = 'trailers';
    const { text } = await exchange(port, get('/api/x', 'TE: trailers\r\n'), {
      until: has(/0\r\n(x-sum.*\r\n)?\r\n/i),
    });
    return verdict(/hello/.test(text) && /x-sum: 42/i.test(text), 'dropped');
  },
  '103, then 200': async ({ port, upstream }) => {
    upstream.answer = '103';
    const { text, status } = await exchange(port, get(), { until: has(/final/) });
    if (!text.includes('final')) return `answered ${status}`;
    return verdict(/ 103 /.test(text), 'dropped');
  },
  'hop-by-hop of the request': async ({ port, upstream }) => {
    upstream.answer = 'plain';
    upstream.requests = [];
    const hops =
      'Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=9\r\nProxy-Connection: keep-alive\r\n' +
      'TE: trailers\r\nProxy-Authorization: Basic x\r\n';
    await exchange(port, get('/api/x', hops), { until: body(2) });
    const head = upstream.last?.head.toLowerCase();
    if (head === undefined) return 'not forwarded';
    // Said anew, for its own hop, a proxy may ask for trailers (RFC 9110, 10.1.4).
    const own = /\nte: trailers\r\nconnection: te\r/;
    const names = ['x-secret', 'keep-alive', 'proxy-connection', 'te', 'proxy-authorization'];
    const leaked = names.filter((name) => head.replace(own, '').includes(`\n${name}:`));
    return verdict(leaked.length === 0, `leaks ${leaked.join(' ')}`);
  },
  'hop-by-hop of the answer': async ({ port, upstream }) => {
    upstream.answer = 'hops';
    const { text, status } = await exchange(port, get(), { until: body(1) });
    if (status !== '200') return `answered ${status}`;
    return verdict(!/\nx-hop:|connection: x-hop/i.test(text), 'leaks x-hop');
  },
  'two cookies, a latin1 byte': async ({ port, upstream }) => {
    upstream.answer = 'hops';
    const { text } = await exchange(port, get(), { until: body(1) });
    if (text.match(/set-cookie:/gi)?.length !== 2) return 'cookies lost';
    return verdict(text.includes('caf\xe9'), 'bytes changed');
  },
  'GET with a body': async ({ port, upstream }) => {
    upstream.answer = 'count';
    const { text, status } = await exchange(
      port,
      `${get('/api/x', 'content-length: 5\r\n')}hello`,
      {
        until: has(/got /),
      },
    );
    return verdict(/got 5/.test(text), /got \d+/.exec(text)?.[0] ?? `answered ${status}`);
  },
  'chunked request': async ({ port, upstream }) => {
    upstream.answer = 'count';
    upstream.requests = [];
    const { status } = await exchange(
      port,
      post('transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
      { until: has(/got /) },
    );
    return verdict(upstream.last?.body.includes('hello'), `answered ${status}`);
  },
  // An encoded slash means one thing to one reader and another to the next: kept as it is, or refused.
  'path and query as they came': async ({ port, upstream }) => {
    upstream.answer = 'plain';
    upstream.requests = [];
    const query = '?q=%20a+b&&x[]=1';
    await exchange(port, get(`/api/a%20b${query}`), { until: body(2) });
    if (!upstream.last?.head.startsWith(`GET /api/a%20b${query} `)) return 'query changed';
    const { status } = await exchange(port, get(`/api/a%2Fb/..%2fc${query}`), { until: body(2) });
    if (status === '400' && upstream.requests.length === 1) return 'ok, %2F refused';
    return verdict(upstream.last.head.startsWith(`GET /api/a%2Fb/..%2fc${query} `), 'path changed');
  },
  'client leaves while it waits': leaving('silence', 200),
  'client leaves in the middle': leaving('events', 350),
  'first event at once': async ({ port, upstream }) => {
    upstream.answer = 'events';
    const began = performance.now();
    const { end } = await exchange(port, get('/api/x', 'accept: text/event-stream\r\n'), {
      until: has(/data: 0/),
      patience: 1_200,
    });
    if (end !== 'done') return end;
    return verdict(performance.now() - began < 350, 'late');
  },
  'truncated answer is an error': async ({ port, upstream }) => {
    upstream.answer = 'truncated';
    const { text, end } = await exchange(port, get(), { patience: 1_500 });
    if (end === 'silence') return 'hangs';
    return verdict(!text.endsWith('0\r\n\r\n'), 'looks whole');
  },
  'stale connection': async ({ port, upstream }) => {
    upstream.answer = 'stale';
    upstream.hangUp();
    await pause(100);
    await exchange(port, get(), { until: body(5) });
    await pause(30);
    const { text, status } = await exchange(port, get(), {
      until: has(/fresh| 50\d /),
      patience: 1_500,
    });
    return verdict(text.includes('fresh'), `answered ${status}`);
  },
  'upstream with two lengths': async ({ port, upstream }) => {
    upstream.answer = 'lengths';
    const { status } = await exchange(port, get(), {
      until: has(/helloworld| 50\d /),
      patience: 800,
    });
    return verdict(status !== '200', 'passed on');
  },
  'poison behind an answer': async ({ port, upstream }) => {
    upstream.answer = 'surplus';
    await exchange(port, get(), { until: body(5) });
    upstream.answer = 'plain';
    const { text } = await exchange(port, get('/api/two'), { until: body(2), patience: 900 });
    return verdict(!text.includes('poison'), 'POISONED');
  },
  'CL and TE': refused(post('content-length: 6\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\nG')),
  'CL and CL': refused(post('content-length: 5\r\ncontent-length: 6\r\n', 'hello!')),
  'TE: xchunked': refused(post('transfer-encoding: xchunked\r\n', '0\r\n\r\n')),
  'CL: +5': refused(post('content-length: +5\r\n', 'hello')),
  '"CL :"': refused(post('content-length : 5\r\n', 'hello')),
  'bare LF': refused(get('/api/x', 'X-A: b\nX-Injected: 1\r\n')),
  NUL: refused(get('/api/x', 'X-A: b\0c\r\n')),
  'folded line': refused(get('/api/x', 'X-A: b\r\n Content-Length: 9\r\n')),
  'two Hosts': refused(get('/api/x', 'Host: evil\r\n')),
};

// An upstream of raw sockets: it notes what it was sent, and answers as it is told to, right or wrong.
import { createServer } from 'node:net';

const plain = (body, headers = '') =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`;

/** What it can answer, by name; each gets the socket, and what is known of the request. */
const ANSWERS = {
  plain: ({ say }) => say(plain('ok')),
  count: ({ say, body }) => say(plain(`got ${body.length}`)),
  head: ({ say }) => say('HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n'),
  304: ({ say }) => say('HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 1234\r\n\r\n'),
  204: ({ say }) => say('HTTP/1.1 204 No Content\r\n\r\n'),
  chunked: ({ say }) =>
    say(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
    ),
  close: ({ say, socket }) => {
    say('HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nuntil close');
    socket.end();
  },
  trailers: ({ say }) =>
    say(
      'HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 42\r\n\r\n',
    ),
  103: ({ say }) => {
    say('HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n');
    setTimeout(() => say(plain('final')), 30);
  },
  hops: ({ say }) =>
    say(
      plain(
        'c',
        'Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\nX-Latin: caf\xe9\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n',
      ),
    ),
  truncated: ({ say, socket }) => {
    say(`HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n${'x'.repeat(50)}`);
    setTimeout(() => socket.destroy(), 30);
  },
  silence: () => {},
  events: ({ say, socket }) => {
    say('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
    let number = 0;
    const timer = setInterval(() => {
      if (socket.destroyed) return clearInterval(timer);
      const event = `data: ${number++}\n\n`;
      return say(`${event.length.toString(16)}\r\n${event}\r\n`);
    }, 100);
  },
  stale: ({ say, socket, served }) => {
    if (served > 1) socket.resetAndDestroy();
    else say(plain('fresh'));
  },
  lengths: ({ say }) =>
    say('HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 9\r\n\r\nhelloworld'),
  surplus: ({ say }) => say(`${plain('hello')}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`),
};

export class TrapUpstream {
  /** How it answers from now on: a name of the list above. */
  answer = 'plain';
  /** The requests that came, each with its head and its body as they were sent. */
  requests = [];
  /** How many connections have ended. */
  closed = 0;
  #sockets = new Set();
  #server = createServer((socket) => this.#serve(socket));

  async listen() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.#server.address().port;
  }

  get last() {
    return this.requests.at(-1);
  }

  /** Ends all connections. */
  hangUp() {
    for (const socket of this.#sockets) socket.destroy();
  }

  close() {
    this.hangUp();
    this.#server.close();
  }

  #serve(socket) {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed++;
      this.#sockets.delete(socket);
    });
    const say = (text) => socket.write(text, 'latin1');
    let received = '';
    let served = 0;
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      for (let request = readRequest(received); request; request = readRequest(received)) {
        received = received.slice(request.end);
        served++;
        this.requests.push(request);
        ANSWERS[this.answer]({ say, socket, served, body: request.body });
      }
    });
  }
}

/** The first whole request of a text. */
function readRequest(text) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const from = headEnd + 4;
  const end = /\r\ntransfer-encoding: *chunked/i.test(head)
    ? endOfChunks(text, from)
    : from + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return end < 0 || text.length < end ? undefined : { head, body: text.slice(from, end), end };
}

function endOfChunks(text, from) {
  const last = text.indexOf('0\r\n\r\n', from);
  return last < 0 ? -1 : last + 5;
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Controller, Get } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventHub } from '../../../lib/common/event-hub.js';
import { RequestListener } from '../../../lib/common/request-listener.js';
import { RequestsInFlight } from '../../../lib/discovery/requests-in-flight.js';
import type { ProxiedRequest } from '../../../lib/gateway/gateway.events.js';
import type { GatewayOptions } from '../../../lib/gateway/gateway.options.js';
import { eventually } from '../../support/eventually.js';
import { ADAPTERS, NestColony, type StartedApp } from '../support/nest-colony.js';
import { exchangeRaw, RawServer, statusOf } from '../support/raw-http.js';

@Controller()
class Local {
  @Get('local') local() {
    return 'local';
  }
}

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
const LAST = get('/api/last', 'Connection: close\r\n');

/** The lines of an answer, but those that no two have alike. */
const plain = (text: string) =>
  text
    .toLowerCase()
    .replace(/date: .*|x-correlation-id: .*/g, '')
    .split('\r\n')
    .toSorted();

const tracer = () => {};

describe.each(ADAPTERS)('the fast lane of a gateway on %s', (adapter) => {
  let colony: NestColony;
  let upstream: RawServer;
  let gateway: StartedApp;
  let answer: (() => void) | undefined;
  /** The requests that Node has read. */
  let seen: string[];
  const clients: Socket[] = [];

  beforeEach(async () => {
    colony = new NestColony();
    seen = [];
    answer = undefined;
    upstream = new RawServer((request, socket) => {
      if (!request.includes('\r\n\r\n')) return false;
      const path = request.split(' ', 2)[1] ?? '';
      const reply = () =>
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`);
      if (path.includes('held')) answer = reply;
      else reply();
      return true;
    });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await colony.close();
    await upstream.close();
  });

  async function start(options: GatewayOptions = {}): Promise<void> {
    const to = await upstream.listen();
    gateway = await colony.start('gateway', {
      adapter,
      controllers: [Local],
      gateway: {
        discovery: { enabled: false },
        routes: [{ path: '/api/{*rest}', to }],
        ...options,
      },
      prepare: (app) =>
        app.get(RequestListener).observe(({ url = '' }) => seen.push(url), { every: false }),
    });
  }

  const server = () => gateway.app.getHttpServer() as Server;
  const ask = (text: string, until?: string | RegExp) => exchangeRaw(gateway.port, text, until);

  /** A client that keeps its connection. */
  function client(): { readonly socket: Socket; text: () => string } {
    const socket = connect(gateway.port, '127.0.0.1');
    let text = '';
    clients.push(socket);
    socket.on('error', () => {}).on('data', (bytes) => (text += bytes.toString('latin1')));
    return { socket, text: () => text };
  }

  it('takes plain requests past Node, and leaves the rest to it on the same connection', async () => {
    await start();
    const text = await ask(get('/api/one') + get('/api/two') + get('/local') + LAST);
    expect(text.match(/\/api\/\w+$|\/api\/\w+(?=HTTP)|local(?=HTTP)/g)).toEqual([
      '/api/one',
      '/api/two',
      'local',
      '/api/last',
    ]);
    expect(seen).toEqual(['/local', '/api/last']);
  });

  it('answers as Node does', async () => {
    await start();
    const fast = await ask(get('/api/x'), '/api/x');
    const slow = await ask(
      get('/api/x', 'TE: trailers\r\nConnection: TE, keep-alive\r\n'),
      '/api/x',
    );
    expect(seen).toEqual(['/api/x']);
    expect(plain(fast)).toEqual(plain(slow));
    expect(fast).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/i);
  });

  it('answers many requests that were sent at once in their order', async () => {
    await start();
    const paths = Array.from({ length: 500 }, (_, number) => `/api/${number}`);
    const text = await ask(paths.map((path) => get(path)).join('') + LAST);
    expect(text.match(/\r\n\r\n\/api\/\w+?(?=HTTP|$)/g)?.map((each) => each.trim())).toEqual([
      ...paths,
      '/api/last',
    ]);
    expect(seen).toEqual([]);
  });

  it('answers all of many clients who ask at once', async () => {
    await start();
    const all = Array.from({ length: 100 }, () => client());
    await eventually(() => expect(all.every(({ socket }) => !socket.connecting)).toBe(true));
    for (const round of ['/api/first', '/api/second']) {
      for (const { socket } of all) socket.write(get(round));
      await eventually(() =>
        expect(all.filter(({ text }) => !text().endsWith(round))).toHaveLength(0),
      );
    }
    expect(seen).toEqual([]);
  });

  it('reads a head that comes in pieces', async () => {
    await start();
    const { socket, text } = client();
    for (const piece of ['GET /api/pie', 'ces HTTP/1.1\r\nHost', ': a\r\n\r', '\n']) {
      socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await eventually(() => expect(text()).toMatch(/\/api\/pieces$/));
  });

  it('keeps in step when an answer comes before the end of a body', async () => {
    await start();
    const { socket, text } = client();
    socket.write('POST /api/early HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
    await eventually(() => expect(text()).toMatch(/\/api\/early$/));
    socket.write(`67890${get('/api/next')}`);
    await eventually(() => expect(text()).toMatch(/\/api\/next$/));
  });

  it('tells of every request that is over', async () => {
    await start();
    const heard: Partial<ProxiedRequest>[] = [];
    gateway.app.get(EventHub).on('request.proxied', (request) => {
      const { method, status, url, attempts, duration, timeToFirstByte } = request;
      heard.push({ method, status, url, attempts });
      expect(timeToFirstByte).toBeGreaterThanOrEqual(0);
      expect(duration).toBeGreaterThanOrEqual(timeToFirstByte);
      expect(request.scope.trace.traceId).toMatch(/^[\da-f]{32}$/);
      expect(request.endpoint?.authority).toMatch(/^127\.0\.0\.1:/);
    });
    await ask(get('/api/a?b') + LAST);
    expect(heard).toEqual([
      { method: 'GET', status: 200, url: '/api/a?b', attempts: 1 },
      { method: 'GET', status: 200, url: '/api/last', attempts: 1 },
    ]);
  });

  describe('stands back', () => {
    it('when it is switched off', async () => {
      await start({ fastLane: false });
      await ask(LAST);
      expect(seen).toEqual(['/api/last']);
    });

    it('where a second listener wants all requests', async () => {
      await start();
      server().on('request', () => {});
      await ask(LAST);
      expect(seen).toEqual(['/api/last']);
    });

    it('where a tracer listens to Node', async () => {
      await start();
      subscribe('http.server.request.start', tracer);
      await ask(LAST);
      unsubscribe('http.server.request.start', tracer);
      expect(seen).toEqual(['/api/last']);
    });

    it('for routes with filters', async () => {
      await start({ filters: [{ AddRequestHeader: { headers: { 'x-a': 'b' } } }] });
      await ask(LAST);
      expect(seen).toEqual(['/api/last']);
    });
  });

  describe('ends connections', () => {
    it('that are idle for longer than the server says', async () => {
      await start();
      server().keepAliveTimeout = 100;
      const { socket, text } = client();
      socket.write(get('/api/x'));
      await once(socket, 'close');
      expect(text()).toMatch(/\/api\/x$/);
    });

    it('on which nothing ever comes', async () => {
      await start({ timeouts: { head: '100ms' } });
      const { socket, text } = client();
      await once(socket, 'close');
      expect(statusOf(text())).toBe(408);
    });

    it('whose body does not come in time', async () => {
      await start({ timeouts: { request: '100ms' } });
      const { socket, text } = client();
      socket.write('POST /api/held HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1');
      await once(socket, 'close');
      expect(statusOf(text())).toBe(408);
    });

    it('whose client leaves, and with them what is under way', async () => {
      await start();
      const { socket } = client();
      socket.write(get('/api/held'));
      await eventually(() => expect(upstream.sockets.size).toBe(1));
      socket.end();
      await eventually(() => expect(upstream.sockets.size).toBe(0));
      expect(gateway.app.get(RequestsInFlight).count).toBe(0);
    });

    it('behind what is under way when the application leaves', async () => {
      await start();
      const idle = client();
      idle.socket.write(get('/api/x'));
      await eventually(() => expect(idle.text()).toMatch(/\/api\/x$/));
      const busy = client();
      busy.socket.write(get('/api/held'));
      await eventually(() => expect(answer).toBeDefined());
      expect(gateway.app.get(RequestsInFlight).count).toBe(1);
      const closed = colony.stop(gateway);
      await once(idle.socket, 'close');
      answer?.();
      await once(busy.socket, 'close');
      expect(busy.text()).toMatch(/connection: close\r\n/i);
      expect(busy.text()).toMatch(/\/api\/held$/);
      await closed;
    });

    it('that are idle when the server closes', async () => {
      await start();
      const { socket, text } = client();
      socket.write(get('/api/x'));
      await eventually(() => expect(text()).toMatch(/\/api\/x$/));
      const closed = new Promise((resolve) => void server().close(resolve));
      await once(socket, 'close');
      await closed;
    });
  });
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { NestColony, type StartedApp, WAYS } from '../support/nest-colony.js';
import { exchangeRaw, RawServer, statusOf } from '../support/raw-http.js';

const CHUNK = Buffer.alloc(65_536, 'x');

/** Writes an endless body as fast as it is taken. */
function pour(socket: Socket): void {
  const more = () => {
    while (!socket.destroyed && socket.write(CHUNK));
  };
  socket.on('drain', more);
  more();
}

describe.each(WAYS)('a slow client of a gateway on $adapter, by $way', ({ adapter, fastLane }) => {
  const colony = new NestColony();
  const clients: Socket[] = [];
  let upstream: RawServer;
  let gateway: StartedApp;
  let answer = '';

  beforeAll(async () => {
    upstream = new RawServer((request, socket) => {
      if (request.includes('/deaf')) socket.pause();
      if (request.includes('/endless')) {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40000000\r\n');
        pour(socket);
      } else if (request.includes('/large')) {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${8 << 20}\r\n\r\n`);
        for (let i = 0; i < 128; i++) socket.write(CHUNK);
      } else if (request.includes('/drip')) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n');
        const timer = setInterval(() => socket.write('x'), 20);
        socket.on('close', () => clearInterval(timer));
      } else if (request.includes('/once')) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx');
      }
      return true;
    });
    const to = await upstream.listen();
    gateway = await colony.start('gateway', {
      adapter,
      upstream: { defaults: { circuit: false, outlier: false, retry: false } },
      gateway: {
        fastLane,
        discovery: { enabled: false },
        limits: { body: 0 },
        timeouts: { head: '200ms', bodyIdle: '200ms', readIdle: '300ms' },
        routes: [
          { path: '/deaf', to, timeouts: { bodyIdle: 0 } },
          { path: '/total/{*rest}', to, timeouts: { total: '200ms' } },
          { path: '/idle/{*rest}', to, timeouts: { idle: '100ms' } },
          { path: '/once', to, timeouts: { bodyIdle: '1s' } },
          { path: '/small', to, bodyLimit: 10 },
          { path: '/{*rest}', to },
        ],
      },
    });
  });
  beforeEach(() => {
    answer = '';
    upstream.forget();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });
  afterAll(async () => {
    await colony.close();
    await upstream.close();
  });

  /** A client that sends a text and goes on listening. */
  function client(text: string): Socket {
    const socket = connect(gateway.port, '127.0.0.1');
    clients.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.write(text);
    return socket;
  }

  it('is answered 408 when it stops in its body, and its connection is closed', async () => {
    const socket = client('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf');
    await once(socket, 'close');
    expect(statusOf(answer)).toBe(408);
    expect(answer).toMatch(/connection: close\r\n/i);
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });

  it('may take its time as long as it goes on', async () => {
    const socket = client('POST /once HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n');
    for (let i = 0; i < 8; i++) {
      await pause(200);
      socket.write('x');
    }
    await eventually(() => expect(upstream.received).toMatch(/\r\n\r\nx{8}$/));
    expect(answer).not.toMatch(/^HTTP\/1\.1 408/);
  });

  it('is noticed when it leaves while its upload is paused', async () => {
    const socket = client('POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n');
    pour(socket);
    await eventually(() => expect(upstream.sockets.size).toBe(1));
    await pause(300);
    const before = performance.now();
    socket.resetAndDestroy();
    const [deaf] = upstream.sockets;
    // Nobody reads there, so that it is the gateway's doing when a write finds it closed.
    await eventually(() => {
      deaf?.write('x');
      expect(upstream.sockets.size).toBe(0);
    });
    expect(performance.now() - before).toBeLessThan(4_000);
  });

  it('is cut off when it does not read, and so is its upstream', async () => {
    const socket = client('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.pause();
    await eventually(() => expect(upstream.sockets.size).toBe(1));
    await eventually(() => expect(upstream.sockets.size).toBe(0));
  });

  it('is cut off when it does not read the rest of what is complete', async () => {
    const socket = client('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.pause();
    await pause(1_000);
    let got = 0;
    socket.on('data', (bytes) => (got += bytes.length)).resume();
    await once(socket, 'close');
    expect(got).toBeLessThan(8 << 20);
  });

  it('is cut off when its head does not come, on a kept connection too', async () => {
    const before = performance.now();
    const first = client('GET /x HTTP/1.1\r\nHost:');
    await once(first, 'close');
    expect(statusOf(answer)).toBe(408);
    expect(performance.now() - before).toBeLessThan(2_500);
  });

  describe('has a time for all of it', () => {
    it('and hears 504 when no answer has begun', async () => {
      const text = 'GET /total/silence HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
      expect(statusOf(await exchangeRaw(gateway.port, text))).toBe(504);
    });

    it('and is cut off where one has', async () => {
      const text = 'GET /total/drip HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
      const got = await exchangeRaw(gateway.port, text);
      expect(statusOf(got)).toBe(200);
      expect(got).not.toMatch(/x{100}/);
    });
  });

  it('is cut off where its answer is silent longer than its route allows', async () => {
    const got = await exchangeRaw(gateway.port, 'GET /idle/once HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(got).toMatch(/\r\n\r\nx$/);
  });

  it('has the body limit of its route', async () => {
    const text = 'POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n';
    expect(statusOf(await exchangeRaw(gateway.port, text, /requestId/))).toBe(413);
  });
});

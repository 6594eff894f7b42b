import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CERT, KEY } from '../../upstream/transports/http1/localhost-certificate.js';
import { ADAPTERS, NestColony, type StartedApp } from '../support/nest-colony.js';

const HANDSHAKE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

describe.each(ADAPTERS)('a gateway on %s that speaks https', (adapter) => {
  const colony = new NestColony();
  let server: Server;
  let gateway: StartedApp;
  let asked = 0;

  beforeAll(async () => {
    server = createServer(
      { cert: CERT, key: KEY, ca: CERT, requestCert: true },
      (request, response) => {
        asked++;
        if (request.url === '/moved') {
          response.writeHead(302, { location: 'https://127.0.0.1:9/elsewhere' }).end();
          return;
        }
        const known = (request.socket as TLSSocket).authorized;
        response.end(`${String(request.headers['x-forwarded-proto'])} ${known}`);
      },
    );
    server.on('upgrade', (request, socket) => {
      const proof = createHash('sha1').update(
        `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
      );
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proof.digest('base64')}\r\n\r\n`,
      );
      socket.on('error', () => {}).on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [known, unknown] = [`https://127.0.0.1:${port}`, `https://localhost:${port}`];
    gateway = await colony.start('gateway', {
      adapter,
      https: { cert: CERT, key: KEY },
      upstream: { services: { [known]: { tls: { ca: CERT, cert: CERT, key: KEY } } } },
      gateway: {
        discovery: { enabled: false },
        routes: [
          { path: '/unknown', to: unknown },
          { path: '/{*rest}', to: known },
        ],
      },
    });
  });
  afterAll(async () => {
    await colony.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** What is answered to a request, until the connection ends or a text has come. */
  async function ask(head: string, then = '', until?: RegExp): Promise<string> {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', ca: CERT });
    let answer = '';
    await new Promise<void>((resolve) => {
      socket.on('error', () => {}).on('close', () => resolve());
      socket.on('data', (bytes) => {
        answer += bytes.toString('latin1');
        if (answer.endsWith('\r\n\r\n') && then !== '') socket.write(then);
        if (until?.test(answer)) resolve();
      });
      socket.write(head);
    });
    socket.destroy();
    return answer;
  }
  const get = (path: string) => ask(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);

  it('says so to its upstream, and shows its certificate there', async () => {
    expect(await get('/x')).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*https true/);
  });

  it('sends nothing to an upstream whose certificate nobody vouches for', async () => {
    const before = asked;
    expect(await get('/unknown')).toMatch(/^HTTP\/1\.1 502 /);
    expect(asked).toBe(before);
  });

  it('leaves redirects to its client', async () => {
    expect(await get('/moved')).toMatch(
      /^HTTP\/1\.1 302 Found\r\n[^]*location: https:\/\/127\.0\.0\.1:9\/elsewhere\r\n/i,
    );
  });

  it('carries WebSockets from TLS to TLS', async () => {
    const text = await ask(`GET /ws HTTP/1.1\r\nHost: a\r\n${HANDSHAKE}\r\n`, 'secret', /secret$/);
    expect(text).toMatch(/^HTTP\/1\.1 101 [^]*\r\n\r\nsecret$/);
  });

  it('refuses h2c', async () => {
    const head = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
    expect(await ask(head)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

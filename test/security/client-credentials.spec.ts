import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClientCredentials } from '../../lib/security/client-credentials.js';
import { FakeClock } from '../../lib/testing/fake-clock.js';
import { eventually } from '../support/eventually.js';

let server: Server;
let tokenUrl: string;
let bodies: string[];
let life: number | undefined;
let isDown: boolean;
let clock: FakeClock;

beforeEach(async () => {
  bodies = [];
  life = 100;
  isDown = false;
  clock = new FakeClock();
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      if (isDown) return response.writeHead(503).end();
      return response.end(JSON.stringify({ access_token: `t${bodies.length}`, expires_in: life }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const open = (more = {}) =>
  new ClientCredentials({ tokenUrl, clientId: 'orders', clientSecret: 's', ...more }, clock);

describe('ClientCredentials', () => {
  it('asks once for all calls of a token’s life', async () => {
    const tokens = open({ scopes: ['a', 'b'], parameters: { audience: 'inventory' } });
    expect(await Promise.all([tokens.token(), tokens.token()])).toEqual(['t1', 't1']);
    await clock.advance(79_000);
    expect(await tokens.token()).toBe('t1');
    expect(bodies).toEqual(['grant_type=client_credentials&audience=inventory&scope=a+b']);
  });

  it('renews a token before it ends, and nobody waits for that', async () => {
    const tokens = open();
    await tokens.token();
    await clock.advance(81_000);
    expect(await tokens.token()).toBe('t1');
    await eventually(async () => expect(await tokens.token()).toBe('t2'));
  });

  it('uses the old one to its end while the server is down, asks once a second, and then says why', async () => {
    const tokens = open();
    await tokens.token();
    isDown = true;
    await clock.advance(81_000);
    expect(await tokens.token()).toBe('t1');
    await eventually(() => expect(bodies).toHaveLength(2));
    expect(await tokens.token()).toBe('t1');
    await clock.advance(20_000);
    await expect(tokens.token()).rejects.toMatchObject({ code: 'ERR_TOKEN_REQUEST', status: 503 });
    isDown = false;
    await expect(tokens.token()).resolves.toMatch(/^t\d$/);
  });

  it('forgets a token that a service has refused', async () => {
    const tokens = open();
    tokens.forget(await tokens.token());
    expect(await tokens.token()).toBe('t2');
  });

  it('refuses to send a secret in the open', () => {
    expect(() => open({ tokenUrl: 'http://idp.example/token' })).toThrow(
      'clientCredentials.tokenUrl begins with http:',
    );
  });
});

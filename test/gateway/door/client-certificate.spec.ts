import { request } from 'node:https';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clientCertificate } from '../../../lib/security/authenticators/client-certificate.authenticator.js';
import type { ClientCertificateOptions } from '../../../lib/security/authenticators/client-certificate.authenticator.js';
import { CERT, KEY } from '../../upstream/transports/http1/localhost-certificate.js';
import { ADAPTERS, NestColony } from '../support/nest-colony.js';
import { CLIENT } from './client-key-pair.js';

describe.each(ADAPTERS)('client certificates at a gateway on %s', (adapter) => {
  let colony: NestColony;
  let upstream: Server;
  let port: number;

  beforeEach(async () => {
    colony = new NestColony();
    upstream = createServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    await colony.close();
    upstream.closeAllConnections();
    upstream.close();
  });

  async function start(options: ClientCertificateOptions, ca: string): Promise<void> {
    const to = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const gateway = {
      security: { authenticators: [clientCertificate(options)] },
      routes: [{ path: '/api/{*rest}', to }],
    };
    const https = { cert: CERT, key: KEY, ca, requestCert: true, rejectUnauthorized: false };
    ({ port } = await colony.start('gateway', { adapter, gateway, https }));
  }

  function status(identity: object = {}): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const options = {
        port,
        path: '/api/x',
        rejectUnauthorized: false,
        agent: false,
        ...identity,
      };
      request({ host: '127.0.0.1', ...options }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
  }

  it.each([
    ['its common name', { subject: 'cn', allow: ['orders'] }, 200],
    ['its URI', { subject: 'uri', allow: ['spiffe://shop/orders'] }, 200],
    ['a name that is not let in', { subject: 'cn', allow: ['payments'] }, 401],
    ['a kind of name that it does not have', { subject: 'dns' }, 401],
  ] as const)('know a client by %s', async (_name, options, expected) => {
    await start(options, CLIENT.cert);
    expect(await status(CLIENT)).toBe(expected);
    expect(await status()).toBe(401);
  });

  it('are nothing when nobody who is trusted has signed them', async () => {
    await start({}, CERT);
    expect(await status(CLIENT)).toBe(401);
  });
});

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { UpstreamOptions } from '../../../../lib/upstream/upstream.options.js';
import { UpstreamConnectionError } from '../../../../lib/upstream/upstream.errors.js';
import { instanceOn, UpstreamFixture } from '../../upstream-fixture.js';
import { CERT, KEY } from './localhost-certificate.js';

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function reach(host: string, options: UpstreamOptions, requestCert = false) {
  const server = createServer(
    { cert: CERT, key: KEY, ca: CERT, requestCert, rejectUnauthorized: requestCert },
    (_request, response) => response.end('secret'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const fixture = new UpstreamFixture(undefined, options);
  fixture.balancer.update([instanceOn(port, { host, scheme: 'https' })]);
  opened.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => fixture.close(),
  );
  return fixture;
}

describe('an https upstream', () => {
  it.each(['127.0.0.1', 'localhost'])(
    'is called at %s when its certificate is trusted',
    async (host) => {
      const fixture = await reach(host, { tls: { ca: CERT } });
      for (let i = 0; i < 2; i++) {
        const call = await fixture.call().ended;
        expect([call.error, call.body]).toEqual([undefined, 'secret']);
      }
      expect(fixture.figures()).toMatchObject({
        connections: 1,
        idle: 1,
        queued: 0,
        certificateExpiry: expect.any(Number),
      });
    },
  );

  it('is refused before a byte is sent when its certificate is not trusted', async () => {
    const fixture = await reach('127.0.0.1', {});
    const call = await fixture.call({ method: 'POST', body: 'password' }).ended;
    expect(call.error).toBeInstanceOf(UpstreamConnectionError);
    expect(call.error).toMatchObject({
      sent: false,
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(call.sends).toBe(0);
  });

  it('is refused when its certificate is for another name', async () => {
    // The same address by another name.
    const fixture = await reach('::ffff:127.0.0.1', { tls: { ca: CERT } });
    const call = await fixture.call({ method: 'POST', body: 'password' }).ended;
    expect(call.error).toMatchObject({
      sent: false,
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
    expect(call.sends).toBe(0);
  });

  it('is shown our own certificate when it asks for one', async () => {
    const known = await reach('127.0.0.1', { tls: { ca: CERT, cert: CERT, key: KEY } }, true);
    expect((await known.call().ended).body).toBe('secret');
    const stranger = await reach('127.0.0.1', { tls: { ca: CERT } }, true);
    expect((await stranger.call().ended).error).toBeInstanceOf(UpstreamConnectionError);
  });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  introspection,
  type IntrospectionOptions,
} from '../../../lib/security/authenticators/introspection.authenticator.js';
import { bearer, withHeaders } from '../credentials.js';

let server: Server;
let url: string;
let asked: { authorization: string | undefined; body: string }[];
let answer: unknown;

beforeEach(async () => {
  asked = [];
  answer = { active: true, sub: 'ada', scope: 'orders:read', iss: 'https://idp.example' };
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body });
      if (typeof answer === 'number') response.writeHead(answer).end('{}');
      else response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const open = (options: Partial<IntrospectionOptions> = {}) =>
  introspection({ url, clientId: 'gate way', clientSecret: 's:ecret', ...options });

describe('introspection', () => {
  it('asks once for all who show one token, and remembers the answer', async () => {
    const door = open();
    const senders = await Promise.all(
      [1, 2, 3].map(async () => door.authenticate(bearer('opaque'))),
    );
    expect(senders[0]).toMatchObject({
      subject: 'ada',
      issuer: 'https://idp.example',
      scopes: ['orders:read'],
    });
    expect(door.authenticate(bearer('opaque'))).toBe(senders[0]);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.body).toBe('token=opaque&token_type_hint=access_token');
    // RFC 6749, 2.3.1: both parts are encoded before they are joined.
    expect(Buffer.from(asked[0]?.authorization?.slice(6) ?? '', 'base64').toString()).toBe(
      'gate%20way:s%3Aecret',
    );
  });

  it.each([
    { active: false },
    { active: 'true', sub: 'ada' },
    { sub: 'ada' },
    { active: true },
    { active: true, sub: '' },
    { active: true, sub: 'ada', exp: 1 },
  ])('keeps out a token of which it hears %j', async (heard) => {
    answer = heard;
    const door = open();
    await expect(door.authenticate(bearer('opaque'))).rejects.toMatchObject({ status: 401 });
    expect(() => door.authenticate(bearer('opaque'))).toThrow('not active');
    expect(asked).toHaveLength(1);
  });

  it('keeps out a token for another audience', async () => {
    answer = { active: true, sub: 'ada', aud: ['bank'] };
    await expect(open({ audience: 'shop' }).authenticate(bearer('t'))).rejects.toMatchObject({
      status: 401,
    });
    answer = { active: true, sub: 'ada', aud: 'shop' };
    await expect(open({ audience: 'shop' }).authenticate(bearer('t'))).resolves.toBeDefined();
  });

  it.each([500, 401, [], 'text'])('says 503, not 401, when the answer is %p', async (heard) => {
    answer = heard;
    await expect(open().authenticate(bearer('t'))).rejects.toMatchObject({ status: 503 });
  });

  it('asks for so many tokens at a time', async () => {
    const door = open({ concurrency: 1 });
    const first = door.authenticate(bearer('a'));
    expect(() => door.authenticate(bearer('b'))).toThrow('Too many tokens');
    await first;
  });

  it.each(['Basic YTpi', 'Bearer a b', 'Bearer ä'])('leaves %p to others', (authorization) => {
    expect(open().authenticate(withHeaders({ authorization }))).toBeUndefined();
  });

  it('goes nowhere in the open', () => {
    expect(() => open({ url: 'http://idp.example/introspect' })).toThrow(
      'introspection.url begins with http:',
    );
  });
});

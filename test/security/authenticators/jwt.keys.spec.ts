import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { JwtAuthenticator, jwt } from '../../../lib/security/authenticators/jwt.authenticator.js';
import {
  type JwtOptions,
  readJwtOptions,
} from '../../../lib/security/authenticators/jwt.options.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { eventually } from '../../support/eventually.js';
import { bearer } from '../credentials.js';
import { IdentityProvider, providerKey, type ProviderKey, sign } from './identity-provider.js';

let provider: IdentityProvider;
let clock: FakeClock;
let key: ProviderKey;

beforeEach(async () => {
  clock = new FakeClock();
  provider = await IdentityProvider.start();
  key = await providerKey('first');
  provider.keys = [key.jwk];
});

afterEach(() => provider.stop());

beforeAll(() => Logger.overrideLogger(false));

function open(options: Partial<JwtOptions> = {}): JwtAuthenticator {
  const all = { issuer: provider.origin, audience: 'shop', jwksUri: `${provider.origin}/keys` };
  return new JwtAuthenticator([readJwtOptions({ ...all, ...options }, 'jwt')], clock);
}

function token(by: ProviderKey = key, life = 60): Promise<string> {
  const now = Math.floor(clock.wallTime() / 1_000);
  const claims = { iss: provider.origin, aud: 'shop', sub: 'ada', exp: now + life };
  return sign(by, { claims });
}

describe('the keys of an issuer', () => {
  it('are found through its discovery document when no address is given', async () => {
    const settings = readJwtOptions({ issuer: provider.origin, audience: 'shop' }, 'jwt');
    const door = new JwtAuthenticator([settings], clock);
    await expect(door.authenticate(bearer(await token()))).resolves.toMatchObject({
      subject: 'ada',
    });
    expect(provider.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it('are loaded once for all who come at once', async () => {
    const door = open();
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, at) => token(key, 60 + at)));
    await Promise.all(tokens.map(async (each) => door.authenticate(bearer(each))));
    expect(provider.asked).toEqual(['/keys']);
  });

  it('are asked for at most twice by 10,000 tokens of unknown keys', async () => {
    const door = open();
    const other = await providerKey('unknown');
    const template = await token(other);
    const [, body, signature] = template.split('.');
    const refused = Array.from({ length: 10_000 }, async (_, at) => {
      const head = Buffer.from(JSON.stringify({ alg: 'ES256', kid: `k${at}` })).toString(
        'base64url',
      );
      await door.authenticate(bearer(`${head}.${body}.${signature}`));
    });
    const settled = await Promise.allSettled(refused);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    expect(provider.asked.length).toBeLessThanOrEqual(2);
  }, 60_000);

  it('are loaded anew for a key that is not known, and those who come meanwhile wait for it', async () => {
    const door = open();
    await door.authenticate(bearer(await token()));
    const second = await providerKey('second');
    provider.keys = [key.jwk, second.jwk];
    await clock.advance(30_000);
    const tokens = await Promise.all([token(second, 61), token(second, 62), token(second, 63)]);
    const senders = await Promise.all(tokens.map(async (each) => door.authenticate(bearer(each))));
    expect(senders).toHaveLength(3);
    expect(provider.asked).toHaveLength(2);
  });

  it('stay good for a day while the issuer is down, and are loaded when it is back', async () => {
    const door = open();
    await door.authenticate(bearer(await token()));
    for (const mood of ['down', 'garbage', 'redirecting', 'huge'] as const) {
      provider.mood = mood;
      for (let minute = 0; minute < 60; minute += 5) {
        await clock.advance(5 * 60_000);
        await expect(door.authenticate(bearer(await token()))).resolves.toBeDefined();
      }
    }
    await clock.advance(21 * 3_600_000);
    await expect(door.authenticate(bearer(await token()))).rejects.toMatchObject({ status: 503 });
    provider.mood = 'well';
    await clock.advance(30_000);
    await expect(door.authenticate(bearer(await token()))).resolves.toBeDefined();
  });

  it('are asked for once in a while when the issuer is down from the start', async () => {
    provider.mood = 'down';
    const door = open();
    for (let at = 0; at < 50; at++)
      await expect(door.authenticate(bearer(await token()))).rejects.toMatchObject({ status: 503 });
    expect(provider.asked).toHaveLength(1);
  });

  it('that are taken back take the tokens with them that were remembered', async () => {
    const door = open();
    const known = await token(key, 86_400);
    await door.authenticate(bearer(known));
    expect(door.authenticate(bearer(known))).not.toBeInstanceOf(Promise);
    provider.keys = [(await providerKey('second')).jwk];
    await clock.advance(10 * 60_000 + 1);
    // A new token brings the newer keys in the background.
    await Promise.resolve(door.authenticate(bearer(await token(key, 61)))).catch(() => {});
    await eventually(() => {
      const asked = door.authenticate(bearer(known));
      expect(asked).toBeInstanceOf(Promise);
      return expect(asked).rejects.toThrow('no applicable key');
    });
  });

  it('that are symmetric are never used', async () => {
    provider.keys = [{ kty: 'oct', k: 'c2VjcmV0', kid: 'first', alg: 'HS256' }];
    await expect(open().authenticate(bearer(await token()))).rejects.toMatchObject({ status: 503 });
  });
});

describe('tokens that were found good', () => {
  it('are answered from memory, until they end', async () => {
    const door = open();
    const short = await token(key, 60);
    const first = await door.authenticate(bearer(short));
    expect(door.authenticate(bearer(short))).toBe(first);
    await clock.advance(60_001);
    expect(door.authenticate(bearer(short))).toBeInstanceOf(Promise);
  });
});

describe('the options of jwt', () => {
  it.each([
    [{}, 'jwt.issuer is missing'],
    [{ issuer: 'https://a.example' }, 'jwt.audience is missing'],
    [{ issuer: 'https://a.example', audience: [] }, 'jwt.audience is missing'],
    [{ issuer: 'http://a.example', audience: 'x' }, 'jwt.issuer begins with http:'],
    [{ issuer: 'a', audience: 'x' }, "jwt.issuer is 'a'"],
    [
      { issuer: 'a', audience: 'x', jwksUri: 'http://a.example/k' },
      'jwt.jwksUri begins with http:',
    ],
    [
      { issuer: 'https://a.example', audience: 'x', algorithms: ['HS256'] },
      'jwt.algorithms[0] is ',
    ],
    [{ issuer: 'https://a.example', audience: 'x', algorithms: ['none'] }, 'jwt.algorithms[0] is '],
    [{ issuer: 'https://a.example', audience: 'x', algorithms: [] }, 'jwt.algorithms is empty'],
    [
      { issuer: 'https://a.example', audience: 'x', clockTolerance: '5m' },
      'jwt.clockTolerance is 5m',
    ],
    [{ issuer: 'https://a.example', audience: 'x', secret: 's' }, 'jwt.secret is not an option'],
  ])('%j are refused', (options, sentence) => {
    expect(() => jwt(options as unknown as JwtOptions)).toThrow(sentence);
  });

  it('do not take one issuer twice', () => {
    const one = { issuer: 'https://a.example', audience: 'x' };
    expect(() => jwt(one, one)).toThrow("names the issuer 'https://a.example' twice");
  });
});

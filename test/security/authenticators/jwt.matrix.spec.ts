import {
  createHmac,
  createPublicKey,
  type JsonWebKey,
  KeyObject,
  sign as signBytes,
} from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JwtAuthenticator } from '../../../lib/security/authenticators/jwt.authenticator.js';
import { readJwtOptions } from '../../../lib/security/authenticators/jwt.options.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';
import { bearer, withHeaders } from '../credentials.js';
import { IdentityProvider, providerKey, type ProviderKey, sign } from './identity-provider.js';

const AUDIENCE = 'shop';
/** Algorithms that the authenticator below believes. */
const BELIEVED = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
const clock = new FakeClock();
const now = () => Math.floor(clock.wallTime() / 1_000);

let provider: IdentityProvider;
let stranger: ProviderKey;
const keys = new Map<string, ProviderKey>();

beforeAll(async () => {
  provider = await IdentityProvider.start();
  for (const alg of [...BELIEVED, 'RS384', 'ES384', 'PS512'])
    keys.set(alg, await providerKey(alg, alg));
  provider.keys = [...keys.values()].map(({ jwk }) => jwk);
  stranger = await providerKey('ES256', 'ES256');
});

afterAll(() => provider.stop());

const keyOf = (alg: string) => keys.get(alg) as ProviderKey;

function good(): Record<string, unknown> {
  return {
    iss: provider.origin,
    aud: AUDIENCE,
    sub: 'ada',
    iat: now(),
    exp: now() + 300,
    scope: 'orders:read orders:write',
  };
}

function authenticator(options: Record<string, unknown> = {}) {
  const settings = readJwtOptions(
    { issuer: provider.origin, audience: AUDIENCE, ...options },
    'jwt',
  );
  return new JwtAuthenticator([settings], clock);
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const split = (token: string) => token.split('.') as [string, string, string];

/** Claims that make a well-signed token worthless; `undefined` leaves one out. */
const WRONG_CLAIMS: readonly (readonly [string, () => Record<string, unknown>])[] = [
  ['ended a minute ago', () => ({ exp: now() - 60 })],
  ['ended just beyond the tolerance', () => ({ exp: now() - 6 })],
  ['ends never', () => ({ exp: undefined })],
  ['ends at a text', () => ({ exp: String(now() + 300) })],
  ['ends at null', () => ({ exp: null })],
  ['ends at minus one', () => ({ exp: -1 })],
  ['ends at an object', () => ({ exp: {} })],
  ['ends at a list', () => ({ exp: [now() + 300] })],
  ['ends at true', () => ({ exp: true })],
  ['begins tomorrow', () => ({ nbf: now() + 86_400 })],
  ['begins at a text', () => ({ nbf: 'now' })],
  ['has no issuer', () => ({ iss: undefined })],
  ['has another issuer', () => ({ iss: 'https://evil.example' })],
  ['has an issuer with a slash more', () => ({ iss: `${provider.origin}/` })],
  ['has an issuer in capitals', () => ({ iss: provider.origin.toUpperCase() })],
  ['has a list of issuers', () => ({ iss: [provider.origin] })],
  ['has an empty issuer', () => ({ iss: '' })],
  ['has no audience', () => ({ aud: undefined })],
  ['has another audience', () => ({ aud: 'bank' })],
  ['has an audience that only begins alike', () => ({ aud: `${AUDIENCE}s` })],
  ['has other audiences', () => ({ aud: ['bank', 'club'] })],
  ['has no audiences in its list', () => ({ aud: [] })],
  ['has an object for an audience', () => ({ aud: { [AUDIENCE]: true } })],
  ['has a nested audience', () => ({ aud: [[AUDIENCE]] })],
  ['has no subject', () => ({ sub: undefined })],
  ['has an empty subject', () => ({ sub: '' })],
  ['has a number for a subject', () => ({ sub: 7 })],
  ['has an object for a subject', () => ({ sub: { toString: 'ada' } })],
  ['has a list for a subject', () => ({ sub: ['ada'] })],
];

/** Heads that lie. */
const WRONG_HEADERS: readonly (readonly [string, Record<string, unknown>])[] = [
  ['names a key that is not there', { kid: 'other' }],
  ['names a key by a path', { kid: '../../../../dev/null' }],
  ['names a key by SQL', { kid: "' UNION SELECT 'key' --" }],
  ['names a key by a command', { kid: '| cat /etc/passwd' }],
  ['names a key by an address', { kid: 'http://169.254.169.254/' }],
  ['names the prototype', { kid: '__proto__' }],
  ['names the constructor', { kid: 'constructor' }],
  ['names nothing', { kid: '' }],
  ['names a very long key', { kid: 'k'.repeat(2_000) }],
  ['names a key with a zero', { kid: 'ES256\u0000' }],
  ['names a key with a line end', { kid: 'ES256\r\nx: y' }],
  ['asks for an extension', { crit: ['exp'], exp: 1 }],
  [
    'asks for an unknown extension',
    { crit: ['https://evil.example/x'], 'https://evil.example/x': 1 },
  ],
];

interface Forgery {
  readonly name: string;
  readonly make: () => Promise<string> | string;
}

const head = (alg: string, more = {}) => part({ alg, typ: 'JWT', ...more });

/** Tokens that nobody signed, or somebody else. */
function forgeries(): Forgery[] {
  const unsigned = [
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'null',
    'HS256',
    'HS384',
    'HS512',
    'RS1',
    'ES256K',
  ];
  return [
    ...unsigned.flatMap((alg) => [
      { name: `alg ${alg || 'empty'}, no signature`, make: () => `${head(alg)}.${part(good())}.` },
      {
        name: `alg ${alg || 'empty'}, any signature`,
        make: () => `${head(alg)}.${part(good())}.AAAA`,
      },
      {
        name: `alg ${alg || 'empty'}, a known key`,
        make: () => `${head(alg, { kid: 'ES256' })}.${part(good())}.AAAA`,
      },
    ]),
    ...['HS256', 'HS384', 'HS512'].flatMap((alg) =>
      BELIEVED.flatMap((of) => [
        { name: `${alg} over the PEM of the ${of} key`, make: () => hmac(alg, pem(of), of) },
        {
          name: `${alg} over the JWK of the ${of} key`,
          make: () => hmac(alg, JSON.stringify(keyOf(of).jwk), of),
        },
      ]),
    ),
    ...['', 'secret', 'null', 'undefined', '\0'].map((secret) => ({
      name: `HS256 over ${JSON.stringify(secret)}`,
      make: () => hmac('HS256', secret, 'ES256'),
    })),
    { name: 'a stranger with a known key id', make: () => sign(stranger, { claims: good() }) },
    {
      name: 'a stranger who brings his key',
      make: () => sign(stranger, { claims: good(), header: { jwk: stranger.jwk } }),
    },
    {
      name: 'a stranger who says where his keys are',
      make: () => sign(stranger, { claims: good(), header: { jku: 'http://evil.example/keys' } }),
    },
    {
      name: 'a stranger with a certificate',
      make: () => sign(stranger, { claims: good(), header: { x5c: ['MIIB'] } }),
    },
    {
      name: 'a stranger who says where his certificate is',
      make: () => sign(stranger, { claims: good(), header: { x5u: 'http://evil.example' } }),
    },
    ...['RS384', 'ES384', 'PS512'].map((alg) => ({
      name: `the issuer itself, by ${alg}, which is not believed`,
      make: () => sign(keyOf(alg), { claims: good() }),
    })),
  ];
}

function pem(alg: string): string {
  const key = createPublicKey({ key: keyOf(alg).jwk as JsonWebKey, format: 'jwk' });
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** A token with a true signature of the issuer under any head. */
function signRaw(header: unknown, claims: unknown): string {
  const signed = `${part(header)}.${part(claims)}`;
  const key = KeyObject.from(keyOf('ES256').privateKey);
  const signature = signBytes('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

function hmac(alg: string, secret: string, kid: string): string {
  const signed = `${part({ alg, kid })}.${part(good())}`;
  return `${signed}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(signed)
    .digest('base64url')}`;
}

/** Good tokens with a part changed after they were signed. */
const CHANGES: readonly (readonly [string, (parts: [string, string, string]) => string])[] = [
  ['another subject', ([h, , s]) => `${h}.${part({ ...good(), sub: 'eve' })}.${s}`],
  ['more scopes', ([h, , s]) => `${h}.${part({ ...good(), scope: 'admin' })}.${s}`],
  ['a later end', ([h, , s]) => `${h}.${part({ ...good(), exp: now() + 9e9 })}.${s}`],
  ['no signature', ([h, p]) => `${h}.${p}.`],
  ['half a signature', ([h, p, s]) => `${h}.${p}.${s.slice(0, s.length / 2)}`],
  ['a longer signature', ([h, p, s]) => `${h}.${p}.${s}AAAA`],
  ['a signature of zeros', ([h, p, s]) => `${h}.${p}.${'A'.repeat(s.length)}`],
  ['its parts in another order', ([h, p, s]) => `${p}.${h}.${s}`],
  ['two heads', ([h, p, s]) => `${h}.${h}.${p}.${s}`],
  ['only two parts', ([h, p]) => `${h}.${p}`],
  ['five parts', ([h, p, s]) => `${h}.${p}.${s}.${s}.${s}`],
  ['a head that says none', ([, p, s]) => `${part({ alg: 'none' })}.${p}.${s}`],
  ['padding', ([h, p, s]) => `${h}.${p}.${s}==`],
  ['a space inside', ([h, p, s]) => `${h}. ${p}.${s}`],
  ['a line end inside', ([h, p, s]) => `${h}.${p}\r\n.${s}`],
  ['plain base64', ([h, p, s]) => `${h}.${p}.${s.slice(0, -1)}+/`],
  ['a body that is no JSON', ([h, , s]) => `${h}.${Buffer.from('{').toString('base64url')}.${s}`],
  ['a body that is a list', ([h, , s]) => `${h}.${part([])}.${s}`],
  ['a body that is null', ([h, , s]) => `${h}.${part(null)}.${s}`],
  ['an empty body', ([h, , s]) => `${h}..${s}`],
  ['nothing but dots', () => '..'],
  ['nothing', () => ''],
];

async function isLetIn(token: string, options = {}): Promise<boolean> {
  try {
    return (await authenticator(options).authenticate(bearer(token))) !== undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_INVALID_CREDENTIALS', status: 401 });
    return false;
  }
}

describe('jwt and what it lets in', () => {
  it.each(BELIEVED)('lets in a good token signed by %s', async (alg) => {
    const token = await sign(keyOf(alg), { claims: good() });
    await expect(authenticator().authenticate(bearer(token))).resolves.toMatchObject({
      subject: 'ada',
      issuer: provider.origin,
      scopes: ['orders:read', 'orders:write'],
    });
  });

  it('lets in a token with a true signature under a plain head', async () => {
    expect(await isLetIn(signRaw({ alg: 'ES256', kid: 'ES256' }, good()))).toBe(true);
  });

  it('lets in a token that one of several audiences is ours in', async () => {
    const token = await sign(keyOf('ES256'), { claims: { ...good(), aud: ['bank', AUDIENCE] } });
    expect(await isLetIn(token)).toBe(true);
  });
});

describe('jwt and what it keeps out', () => {
  const cases = BELIEVED.flatMap((alg) =>
    WRONG_CLAIMS.map(([name, claims]): Forgery => ({
      name: `${alg}: a token that ${name}`,
      make: () => sign(keyOf(alg), { claims: { ...good(), ...claims() } }),
    })).concat(
      CHANGES.map(([name, change]): Forgery => ({
        name: `${alg}: a token changed to have ${name}`,
        make: async () => change(split(await sign(keyOf(alg), { claims: good() }))),
      })),
    ),
  );
  const heads = WRONG_HEADERS.map(([name, header]): Forgery => ({
    name: `a head that ${name}`,
    // jose itself would not sign some of these.
    make: () => signRaw({ alg: 'ES256', kid: 'ES256', ...header }, good()),
  }));
  const all = [...cases, ...heads, ...forgeries()];

  it('is tried with more than two hundred tokens', () => {
    expect(all.length).toBeGreaterThan(250);
  });

  it.each(all.map(({ name, make }) => [name, make] as const))('%s', async (_name, make) => {
    expect(await isLetIn(await make())).toBe(false);
  });

  it.each([
    ['of another type', { type: 'at+jwt' }, {}, {}],
    ['of a type in the wrong place', { type: 'at+jwt' }, {}, { typ: 'at+jwt' }],
    ['too old', { maxAge: '1m' }, {}, { iat: -120 }],
    ['that does not say how old it is', { maxAge: '1m' }, {}, { iat: undefined }],
    ['of tomorrow', { maxAge: '1m' }, {}, { iat: 86_400 }],
    ['without an id, where each is good once', { once: true }, {}, {}],
  ])('a token %s, where that is asked for', async (_name, options, header, claims) => {
    const shifted = Object.fromEntries(
      Object.entries(claims).map(([key, value]) => [
        key,
        typeof value === 'number' ? now() + value : value,
      ]),
    );
    const token = await sign(keyOf('ES256'), { claims: { ...good(), ...shifted }, header });
    expect(await isLetIn(token, options)).toBe(false);
  });

  it('a token that is too long, before anything of it is read', () => {
    const long = bearer(`${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.c`);
    expect(() => authenticator().authenticate(long)).toThrow('longer than 8192 characters');
  });

  it('a token that was used before, where each is good once', async () => {
    const door = authenticator({ once: true });
    const token = await sign(keyOf('ES256'), { claims: { ...good(), jti: 'a' } });
    await expect(door.authenticate(bearer(token))).resolves.toMatchObject({ subject: 'ada' });
    await expect(door.authenticate(bearer(token))).rejects.toThrow('used before');
  });

  it.each([
    'Basic YTpi',
    'Bearer',
    'Bearer ',
    'bearer a b',
    'Token a.b.c',
    'Bearer a.b.c, Bearer d.e.f',
  ])('leaves %p to others', (authorization) => {
    expect(authenticator().authenticate(withHeaders({ authorization }))).toBeUndefined();
  });
});

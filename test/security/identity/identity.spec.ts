import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decodeJwt, SignJWT } from 'jose';
import {
  IdentityIssuer,
  readIdentityIssuer,
} from '../../../lib/security/identity/identity-issuer.js';
import {
  IdentityVerifier,
  readIdentityVerifier,
} from '../../../lib/security/identity/identity-verifier.js';
import type { Principal } from '../../../lib/security/principal.js';
import { FakeClock } from '../../../lib/testing/fake-clock.js';

const ADA: Principal = {
  subject: 'ada',
  issuer: 'https://idp.example',
  scopes: ['orders:read'],
  roles: ['clerk'],
  claims: { email: 'ada@example.com' },
  tenant: 'acme',
};

const SECRET = 'a secret of more than thirty-two bytes';
const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (pair: {
  privateKey: typeof ed25519.privateKey;
  publicKey: typeof ed25519.publicKey;
}) => ({
  privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
});

function pair(ours: object, theirs: object, clock = new FakeClock(), service = 'orders') {
  const issuer = new IdentityIssuer(readIdentityIssuer(ours, 'identity'), clock);
  const settings = readIdentityVerifier(theirs, 'identity');
  return {
    clock,
    issuer,
    verifier: new IdentityVerifier({ settings, clock, service: () => service }),
  };
}

const signedBy = (keys: ReturnType<typeof pem>) =>
  pair({ privateKey: keys.privateKey }, { publicKey: keys.publicKey });

describe('identity tokens', () => {
  it.each([
    ['an Ed25519 key', () => signedBy(pem(ed25519))],
    ['a P-256 key', () => signedBy(pem(p256))],
    ['a secret', () => pair({ secret: SECRET }, { secret: SECRET })],
  ])('say by %s who sent a request, and not more of it than services need', async (_name, make) => {
    const { issuer, verifier } = make();
    const token = await issuer.tokenFor('orders', ADA);
    const sender = await verifier.verify(token);
    expect(sender).toMatchObject({
      subject: 'ada',
      issuer: 'https://idp.example',
      scopes: ['orders:read'],
      roles: ['clerk'],
      tenant: 'acme',
    });
    expect(decodeJwt(token)).not.toHaveProperty('email');
  });

  it('are signed once for many requests of one sender, and anew after half their life', async () => {
    const { issuer, clock } = signedBy(pem(ed25519));
    const first = await issuer.tokenFor('orders', ADA);
    expect(issuer.tokenFor('orders', ADA)).toBe(first);
    await clock.advance(30_001);
    expect(await issuer.tokenFor('orders', ADA)).not.toBe(first);
  });

  it('are useless at another service', async () => {
    const { issuer, verifier } = signedBy(pem(ed25519));
    const stolen = await issuer.tokenFor('payments', ADA);
    await expect(verifier.verify(stolen)).rejects.toMatchObject({
      code: 'ERR_UNKNOWN_CALLER',
      status: 401,
    });
  });

  it('are useless after their time, also where they were good before', async () => {
    const { issuer, verifier, clock } = signedBy(pem(ed25519));
    const token = await issuer.tokenFor('orders', ADA);
    await verifier.verify(token);
    await clock.advance(66_000);
    await expect(verifier.verify(token)).rejects.toThrow('"exp" claim timestamp check failed');
  });

  it('end with what they were made of', async () => {
    const { issuer, clock } = signedBy(pem(ed25519));
    const token = await issuer.tokenFor('orders', { ...ADA, expiresAt: clock.wallTime() + 10_000 });
    expect(decodeJwt(token).exp).toBe(Math.ceil((clock.wallTime() + 10_000) / 1_000));
  });

  it.each([
    [
      'another key',
      () =>
        pair(
          { privateKey: pem(generateKeyPairSync('ed25519')).privateKey },
          { publicKey: pem(ed25519).publicKey },
        ),
    ],
    ['another secret', () => pair({ secret: `${SECRET}!` }, { secret: SECRET })],
    ['another gateway', () => pair({ secret: SECRET, issuer: 'other' }, { secret: SECRET })],
    [
      'the public key as a secret',
      () => pair({ secret: pem(ed25519).publicKey }, { publicKey: pem(ed25519).publicKey }),
    ],
  ])('are refused from %s', async (_name, make) => {
    const { issuer, verifier } = make();
    await expect(verifier.verify(await issuer.tokenFor('orders', ADA))).rejects.toMatchObject({
      status: 401,
    });
  });

  it('are not to be had from another token of the same key', async () => {
    const { verifier, clock } = signedBy(pem(ed25519));
    const now = Math.floor(clock.wallTime() / 1_000);
    const token = await new SignJWT({ idp: 'x' })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .setIssuer('gateway')
      .setSubject('ada')
      .setAudience('orders')
      .setExpirationTime(now + 60)
      .sign(ed25519.privateKey);
    await expect(verifier.verify(token)).rejects.toThrow('unexpected "typ"');
  });

  it.each([
    [readIdentityIssuer, {}, "identity needs 'privateKey' or 'secret'"],
    [
      readIdentityIssuer,
      { secret: SECRET, privateKey: 'x' },
      "identity needs 'privateKey' or 'secret'",
    ],
    [readIdentityIssuer, { secret: 'short' }, 'identity.secret has 5 bytes'],
    [readIdentityIssuer, { privateKey: 'x' }, 'identity.privateKey is no private key in PEM'],
    [readIdentityIssuer, { secret: SECRET, lifetime: '1h' }, 'identity.lifetime is 1h'],
    [readIdentityVerifier, {}, "identity needs 'publicKey' or 'secret'"],
    [readIdentityVerifier, { publicKey: 'x' }, 'identity.publicKey is no public key in PEM'],
  ])('%p refuses %j', (read, options, sentence) => {
    expect(() => read(options, 'identity')).toThrow(sentence);
  });

  it('need a key of a kind that is known', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    expect(() => readIdentityIssuer({ privateKey: pem(rsa).privateKey }, 'identity')).toThrow(
      "has a key of the type 'rsa'",
    );
  });
});

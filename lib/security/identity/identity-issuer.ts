import { createPrivateKey, createSecretKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import type { Duration } from '../../common/duration.js';
import {
  duration,
  group,
  optional,
  type OptionReader,
  refuse,
  text,
  textOf,
} from '../../common/option-readers.js';
import type { Principal } from '../principal.js';
import { type JoseLibrary, loadJose } from '../tokens/jose.js';
import { IDENTITY_TYPE, type IdentityAlgorithm, identityClaims } from './identity-token.js';

/** How a gateway tells services who a request comes from. */
export interface IdentityIssuerOptions {
  /** A private key in PEM (PKCS #8), Ed25519 or P-256; only the gateway has it, and services check with the public one. */
  readonly privateKey?: string;
  /**
   * A secret of 32 bytes at least, in place of a key: simpler, but every service that can check a token could also make
   * one. @default none
   */
  readonly secret?: string;
  /** Who vouches: the `iss` of the tokens. @default 'gateway' */
  readonly issuer?: string;
  /** How long a token is good. @default '60s' */
  readonly lifetime?: Duration;
}

const read = group({
  privateKey: optional(textOf()),
  secret: optional(textOf()),
  issuer: text('gateway'),
  lifetime: duration('60s', { min: 1_000, max: 600_000 }),
});

/** How tokens are made, checked. */
export interface IdentityIssuerSettings {
  readonly key: KeyObject;
  readonly algorithm: IdentityAlgorithm;
  readonly issuer: string;
  readonly lifetime: number;
}

/** Reads how tokens are made. */
export const readIdentityIssuer: OptionReader<IdentityIssuerSettings> = (value, path) => {
  const { privateKey, secret, issuer, lifetime } = read(value, path);
  if ((privateKey === undefined) === (secret === undefined))
    refuse(path, "needs 'privateKey' or 'secret'", 'Give one of them.');
  const key = privateKey === undefined ? secretKey(secret, path) : pemKey(privateKey, path);
  return { key, algorithm: algorithmOf(key, path), issuer, lifetime };
};

/** A shared secret as a key. */
export function secretKey(secret: string | undefined, path: string): KeyObject {
  const bytes = Buffer.from(secret ?? '');
  if (bytes.length < 32)
    refuse(
      `${path}.secret`,
      `has ${bytes.length} bytes`,
      'Make it of 32 random ones at least (RFC 7518, 3.2).',
    );
  return createSecretKey(bytes);
}

function pemKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The reason could quote the key.
    return refuse(
      `${path}.privateKey`,
      'is no private key in PEM',
      'Make one with `openssl genpkey -algorithm ed25519`.',
    );
  }
}

/** The one algorithm that a key is for. */
export function algorithmOf(key: KeyObject, path: string): IdentityAlgorithm {
  if (key.type === 'secret') return 'HS256';
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return 'ES256';
  return refuse(path, `has a key of the type '${key.asymmetricKeyType}'`, 'Use Ed25519 or P-256.');
}

interface Issued {
  readonly token: string;
  /** When a new one is made, in ms of the wall clock. */
  readonly until: number;
}

/** Makes short-lived tokens that say to one service who a request comes from. */
export class IdentityIssuer {
  private jose: Pick<JoseLibrary, 'SignJWT'> | undefined;
  /** A sender's requests of the next half minute carry the same token: signing costs more than proxying. */
  private readonly issued = new WeakMap<Principal, Map<string, Issued>>();

  constructor(
    private readonly settings: IdentityIssuerSettings,
    private readonly clock: Clock,
  ) {}

  async ready(): Promise<void> {
    this.jose = await loadJose('The identity tokens of the gateway are signed with jose');
  }

  /** The token for a service, at once if it was made before. */
  tokenFor(service: string, principal: Principal): string | Promise<string> {
    const known = this.issued.get(principal)?.get(service);
    return known && known.until > this.clock.wallTime()
      ? known.token
      : this.issue(service, principal);
  }

  private async issue(service: string, principal: Principal): Promise<string> {
    if (!this.jose) await this.ready();
    const { SignJWT } = this.jose as Pick<JoseLibrary, 'SignJWT'>;
    const { key, algorithm, issuer, lifetime } = this.settings;
    const now = this.clock.wallTime();
    // It never outlives what it was made of.
    const ends = Math.min(now + lifetime, principal.expiresAt ?? Infinity);
    const token = await new SignJWT({ ...identityClaims(principal) })
      .setProtectedHeader({ alg: algorithm, typ: IDENTITY_TYPE })
      .setIssuer(issuer)
      .setSubject(principal.subject)
      .setAudience(service)
      .setIssuedAt(Math.floor(now / 1_000))
      .setExpirationTime(Math.ceil(ends / 1_000))
      .sign(key);
    const byService = this.issued.get(principal) ?? new Map<string, Issued>();
    byService.set(service, { token, until: Math.min(now + lifetime / 2, ends) });
    this.issued.set(principal, byService);
    return token;
  }
}

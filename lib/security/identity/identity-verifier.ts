import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import {
  duration,
  group,
  optional,
  type OptionReader,
  refuse,
  text,
  textOf,
} from '../../common/option-readers.js';
import type { Duration } from '../../common/duration.js';
import { type Principal, wordsOf } from '../principal.js';
import { BoundedTable } from '../rate-limits/bounded-table.js';
import { UnknownCallerError } from '../security.errors.js';
import { type JoseLibrary, type JWTPayload, loadJose } from '../tokens/jose.js';
import { algorithmOf, secretKey } from './identity-issuer.js';
import { IDENTITY_TYPE, type IdentityAlgorithm } from './identity-token.js';

/** How a service knows that a request came through the gateway. */
export interface IdentityVerifierOptions {
  /** The gateway's public key in PEM. */
  readonly publicKey?: string;
  /** The secret that the gateway has too, in place of a key. @default none */
  readonly secret?: string;
  /** Who must vouch. @default 'gateway' */
  readonly issuer?: string;
  /** How far the gateway's clock may be off. @default '5s' */
  readonly clockTolerance?: Duration;
}

const read = group({
  publicKey: optional(textOf()),
  secret: optional(textOf()),
  issuer: text('gateway'),
  clockTolerance: duration('5s', { max: 30_000 }),
});

/** How tokens are checked; times in ms. */
export interface IdentityVerifierSettings {
  readonly key: KeyObject;
  readonly algorithm: IdentityAlgorithm;
  readonly issuer: string;
  readonly clockTolerance: number;
}

/** Reads how tokens are checked. */
export const readIdentityVerifier: OptionReader<IdentityVerifierSettings> = (value, path) => {
  const { publicKey, secret, issuer, clockTolerance } = read(value, path);
  if ((publicKey === undefined) === (secret === undefined))
    refuse(
      path,
      "needs 'publicKey' or 'secret'",
      "Give the gateway's public key, or the secret it has too.",
    );
  const key = publicKey === undefined ? secretKey(secret, path) : pemKey(publicKey, path);
  return { key, algorithm: algorithmOf(key, path), issuer, clockTolerance };
};

function pemKey(pem: string, path: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    return refuse(
      `${path}.publicKey`,
      'is no public key in PEM',
      'Make it with `openssl pkey -pubout`.',
    );
  }
}

/** What a service asks about itself and its caller. */
export interface IdentityVerifierParts {
  readonly settings: IdentityVerifierSettings;
  readonly clock: Clock;
  /** Our own name: tokens for others are good for nothing here. */
  readonly service: () => string;
}

/** Checks the tokens in which a gateway says who a request comes from. */
export class IdentityVerifier {
  private readonly good = new BoundedTable<Principal>(10_000);
  private jose: Pick<JoseLibrary, 'jwtVerify'> | undefined;

  constructor(private readonly parts: IdentityVerifierParts) {}

  async ready(): Promise<void> {
    this.jose = await loadJose('GatewayIdentityGuard checks tokens with jose');
  }

  /** @throws UnknownCallerError */
  async verify(token: string): Promise<Principal> {
    const known = this.good.get(token);
    if (known !== undefined && (known.expiresAt ?? 0) > this.parts.clock.wallTime()) return known;
    const principal = principalOf(await this.check(token));
    this.good.set(token, principal);
    return principal;
  }

  private async check(token: string): Promise<JWTPayload> {
    const { settings, clock, service } = this.parts;
    if (!this.jose) await this.ready();
    try {
      const { jwtVerify } = this.jose as Pick<JoseLibrary, 'jwtVerify'>;
      const { payload } = await jwtVerify(token, settings.key, {
        issuer: settings.issuer,
        audience: service(),
        algorithms: settings.algorithm === 'EdDSA' ? ['EdDSA', 'Ed25519'] : [settings.algorithm],
        typ: IDENTITY_TYPE,
        clockTolerance: settings.clockTolerance / 1_000,
        currentDate: new Date(clock.wallTime()),
        requiredClaims: ['exp', 'sub', 'idp'],
      });
      return payload;
    } catch (error) {
      throw new UnknownCallerError(
        `The request's identity is not good: ${messageOf(error)}.`,
        error,
      );
    }
  }
}

function principalOf(payload: JWTPayload): Principal {
  const { sub = '', idp, scope, roles, tenant, exp = 0 } = payload;
  return {
    subject: sub,
    issuer: String(idp),
    scopes: wordsOf(scope),
    roles: wordsOf(roles),
    claims: payload,
    ...(typeof tenant === 'string' && { tenant }),
    expiresAt: exp * 1_000,
  };
}

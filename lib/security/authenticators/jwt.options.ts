import type { Duration } from '../../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  list,
  oneOf,
  type OptionReader,
  optional,
  refuse,
  text,
  textOf,
} from '../../common/option-readers.js';
import type { JSONWebKeySet } from '../tokens/jose.js';
import { secureUrl } from '../tokens/secure-url.js';

/** Signatures that only their issuer can make; with a shared secret, whoever can check a token can also forge one. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** Whose tokens are believed, and under which conditions (RFC 7519, RFC 8725). */
export interface JwtOptions {
  /** The `iss` of the tokens, to the letter. */
  readonly issuer: string;
  /** The `aud` that tokens must have; of several, one. */
  readonly audience: string | readonly string[];
  /** Where the issuer's keys are. @default what `{issuer}/.well-known/openid-configuration` says */
  readonly jwksUri?: string;
  /** The issuer's keys themselves, in place of an address. @default none */
  readonly keys?: JSONWebKeySet;
  /** The signatures that are believed; only asymmetric ones can be. @default RS256, PS256, ES256, EdDSA */
  readonly algorithms?: readonly (typeof ALGORITHMS)[number][];
  /** The `typ` that tokens must have, such as `at+jwt` (RFC 9068). @default any */
  readonly type?: string;
  /** How far the issuer's clock may be off; at most 30s. @default '5s' */
  readonly clockTolerance?: Duration;
  /** The longest token, in characters. @default 8192 */
  readonly maxLength?: number;
  /** The longest time since a token was issued (`iat`). @default no matter */
  readonly maxAge?: Duration;
  /** The claim that names the sender. @default 'sub' */
  readonly subjectClaim?: string;
  /** The claim with the scopes: words in a text, or a list. @default 'scope', else 'scp' */
  readonly scopesClaim?: string;
  /** The claim with the roles, such as `realm_access.roles`. @default 'roles' */
  readonly rolesClaim?: string;
  /** The claim with the tenant. @default none */
  readonly tenantClaim?: string;
  /** Whether each token, known by its `jti`, is good once only; in this process. @default false */
  readonly once?: boolean;
  /** How long keys are used before they are asked for again. @default '10m' */
  readonly refreshAfter?: Duration;
  /** How long known keys stay good while the issuer does not answer. @default '24h' */
  readonly keepFor?: Duration;
  /** The least time between two requests for keys; so often can strangers make us ask. @default '30s' */
  readonly cooldown?: Duration;
  /** How many good tokens are remembered, so that they need not be checked again. @default 10000 */
  readonly cache?: number;
  /** Whether addresses may begin with `http:`. @default false; loopback always may */
  readonly allowInsecure?: boolean;
}

const keySet: OptionReader<JSONWebKeySet> = (value, path) => {
  const { keys } = (value ?? {}) as Partial<JSONWebKeySet>;
  if (!Array.isArray(keys)) refuse(path, 'is no key set', 'Write it like { keys: [ … ] }.');
  return value as JSONWebKeySet;
};

const audience: OptionReader<readonly string[]> = (value, path) => {
  const audiences = typeof value === 'string' ? [value] : list(textOf())(value, path);
  if (audiences.length === 0 || audiences.includes(''))
    refuse(path, 'is missing', "Name whom the tokens must be for, such as 'shop-api'.");
  return audiences;
};

function fields(allowInsecure: boolean) {
  return group({
    issuer: textOf(),
    audience,
    jwksUri: optional(secureUrl(allowInsecure)),
    keys: optional(keySet),
    algorithms: optional(list(oneOf(ALGORITHMS, 'RS256'))),
    type: optional(textOf()),
    clockTolerance: duration('5s', { max: 30_000 }),
    maxLength: integer(8_192, { min: 64, max: 65_536 }),
    maxAge: optional(duration(0)),
    subjectClaim: text('sub'),
    scopesClaim: optional(textOf()),
    rolesClaim: text('roles'),
    tenantClaim: optional(textOf()),
    once: flag(false),
    refreshAfter: duration('10m', { min: 1_000 }),
    keepFor: duration('24h'),
    cooldown: duration('30s', { min: 1_000 }),
    cache: integer(10_000, { min: 0 }),
    allowInsecure: flag(false),
  });
}

/** The conditions, checked; times in ms. */
export type JwtSettings = ReturnType<ReturnType<typeof fields>>;

/** Reads whose tokens are believed; what is left out for safety's sake stops the start. */
export const readJwtOptions: OptionReader<JwtSettings> = (value, path) => {
  const allowInsecure = (value as JwtOptions | undefined)?.allowInsecure === true;
  const settings = fields(allowInsecure)(value, path);
  if (settings.keys && settings.jwksUri !== undefined)
    refuse(path, "has both 'keys' and 'jwksUri'", 'Keep one.');
  if (settings.algorithms?.length === 0)
    refuse(`${path}.algorithms`, 'is empty', 'Name one, or leave it out.');
  // Keys are looked for below the issuer, unless it is said where they are.
  if (!settings.keys && settings.jwksUri === undefined)
    secureUrl(allowInsecure)(settings.issuer, `${path}.issuer`);
  return settings;
};

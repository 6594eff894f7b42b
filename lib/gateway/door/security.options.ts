import type { Type } from '@nestjs/common';
import { type Duration } from '../../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  list,
  made,
  oneOf,
  type OptionReader,
  optional,
  textOf,
} from '../../common/option-readers.js';
import { Authenticator } from '../../security/authenticator.js';
import {
  type IdentityIssuerOptions,
  readIdentityIssuer,
} from '../../security/identity/identity-issuer.js';
import { type RateLimit, readRateLimit } from '../../security/rate-limits/rate-limit.js';
import { RateLimitStore } from '../../security/rate-limits/rate-limiter.js';
import { AccessPolicy } from './access-policy.js';
import { cidr } from './cidr.reader.js';
import { type CorsOptions, readCors } from './cors.options.js';
import type { AddressHook } from './address.step.js';

/** Who is let in at the gateway, and how often. All of it holds for WebSockets too. */
export interface GatewaySecurityOptions {
  /** How senders are known; the first that knows a request's kind of credentials decides. @default none, all routes are public */
  readonly authenticators?: readonly (Authenticator | Type<Authenticator>)[];
  /**
   * Who may use routes that say nothing of it: whoever is known, or everyone. @default 'authenticated' where there are
   * authenticators
   */
  readonly access?: 'authenticated' | 'public';
  /** What is asked besides scopes, roles and claims. @default nothing */
  readonly policies?: readonly (AccessPolicy | Type<AccessPolicy>)[];
  /** Whether the credentials themselves go on to services. @default false */
  readonly relayCredentials?: boolean;
  /** How services are told who sent a request, in `x-rookery-identity`. @default not at all */
  readonly identity?: IdentityIssuerOptions;
  /** Headers that no client may send on, besides those that commonly name users. @default none */
  readonly identityHeaders?: readonly string[];
  /** How often routes may be used. @default without limit */
  readonly rateLimits?: readonly RateLimit[];
  /** Where is counted: `memoryRateLimits()`, `redisRateLimits()`. @default in this process */
  readonly store?: RateLimitStore;
  /** The most requests of one address under way at a time; 0 is without limit. @default 0 */
  readonly concurrency?: number;
  /** How often an address may show bad credentials before it is kept out. `false` keeps nobody out. @default 30 in 1m, for 5m */
  readonly failures?: FailureOptions | false;
  /** Which pages of other origins may use routes. @default no word, services say it themselves */
  readonly cors?: CorsOptions;
  /** Whether what other sites make browsers send with their cookies is refused, but for some origins. @default false */
  readonly csrf?: boolean | { readonly origins?: readonly string[] };
  /** From where requests are let in. @default from everywhere */
  readonly addresses?: AddressOptions;
}

/** How often an address may show bad credentials. */
export interface FailureOptions {
  /** @default 30 */
  readonly limit?: number;
  /** @default '1m' */
  readonly per?: Duration;
  /** For how long it is kept out. @default '5m' */
  readonly ban?: Duration;
}

/** From where requests are let in. */
export interface AddressOptions {
  /** Addresses or CIDR blocks. @default all */
  readonly allow?: readonly string[];
  /** Addresses or CIDR blocks; it goes before `allow`. @default none */
  readonly deny?: readonly string[];
  /** Decides by address and headers, such as a country that a proxy in front has named. @default nobody is asked */
  readonly hook?: AddressHook;
}

function isOf<T extends object>(base: abstract new (...args: never[]) => T) {
  return made(
    (value): value is T | Type<T> =>
      value instanceof base || (typeof value === 'function' && value.prototype instanceof base),
    `an instance of ${base.name}, or a class that extends it`,
  );
}

function isHook(value: unknown): value is AddressHook {
  return typeof value === 'function';
}

const headerName = textOf({ matches: /^[\w-]+$/, remedy: 'Write the name of a header.' });

const failures: OptionReader<{ limit: number; per: number; ban: number } | false> = (
  value,
  path,
) => {
  if (value === false) return false;
  return group({
    limit: integer(30, { min: 1 }),
    per: duration('1m', { min: 1_000 }),
    ban: duration('5m', { min: 1_000 }),
  })(value, path);
};

const csrf: OptionReader<ReadonlySet<string> | undefined> = (value, path) => {
  if (value === undefined || value === false) return undefined;
  const { origins } = group({ origins: list(textOf()) })(value === true ? {} : value, path);
  return new Set(origins);
};

/** Checks who is let in. */
export const readSecurity = group({
  authenticators: list(isOf(Authenticator)),
  access: optional(oneOf(['authenticated', 'public'], 'authenticated')),
  policies: list(isOf(AccessPolicy)),
  relayCredentials: flag(false),
  identity: optional(readIdentityIssuer),
  identityHeaders: list(headerName),
  rateLimits: list(readRateLimit),
  store: optional(
    made((value): value is RateLimitStore => value instanceof RateLimitStore, 'a RateLimitStore'),
  ),
  concurrency: integer(0, { min: 0 }),
  failures,
  cors: optional(readCors),
  csrf,
  addresses: group({
    allow: optional(list(cidr)),
    deny: list(cidr),
    hook: optional(made(isHook, 'a function')),
  }),
});

/** Who is let in, checked. */
export type SecuritySettings = ReturnType<typeof readSecurity>;

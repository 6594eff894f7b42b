import { Clock, SystemClock } from '../../common/clock.js';
import type { Duration } from '../../common/duration.js';
import { messageOf } from '../../common/errors.js';
import {
  duration,
  flag,
  group,
  integer,
  optional,
  text,
  textOf,
} from '../../common/option-readers.js';
import { Authenticator } from '../authenticator.js';
import type { Credentials } from '../credentials.js';
import { claimOf, type Principal, wordsOf } from '../principal.js';
import { BoundedTable } from '../rate-limits/bounded-table.js';
import { AuthenticationUnavailableError, InvalidCredentialsError } from '../security.errors.js';
import { fetchJson } from '../tokens/json-fetch.js';
import { secureUrl } from '../tokens/secure-url.js';

/** Who knows what opaque tokens mean (RFC 7662). */
export interface IntrospectionOptions {
  /** The introspection endpoint. */
  readonly url: string;
  /** Who we are there. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** The audience that tokens must have. @default any */
  readonly audience?: string;
  /** How long an answer is believed; a token that ends sooner is asked for sooner. @default '30s' */
  readonly cacheFor?: Duration;
  /** How long a token that was not good is refused without asking again. @default '5s' */
  readonly refuseFor?: Duration;
  /** How many answers are remembered. @default 10000 */
  readonly cache?: number;
  /** The most questions at a time; more are answered 503. @default 100 */
  readonly concurrency?: number;
  /** The claim with the roles. @default 'roles' */
  readonly rolesClaim?: string;
  /** Whether the address may begin with `http:`. @default false; loopback always may */
  readonly allowInsecure?: boolean;
}

/** RFC 6750, 2.1; tokens with two dots may be JWTs, which `jwt()` takes when it stands before. */
const BEARER = /^Bearer +([\w.~+/-]{1,4096}=*)$/i;

interface Answer {
  /** Absent for a token that is not good. */
  readonly principal?: Principal;
  readonly until: number;
}

/**
 * Asks an authorisation server what an opaque token in `Authorization: Bearer` means, once in a while.
 *
 * @example
 * introspection({ url: 'https://idp.example.com/introspect', clientId: 'gateway', clientSecret: env('SECRET') })
 */
export function introspection(options: IntrospectionOptions): Authenticator {
  return new IntrospectionAuthenticator(options);
}

class IntrospectionAuthenticator extends Authenticator {
  override readonly name = 'introspection';
  override readonly challenge = 'Bearer';
  override readonly headers = ['authorization'];
  private readonly settings: ReturnType<typeof readOptions>;
  private readonly answers: BoundedTable<Answer>;
  private readonly asking = new Map<string, Promise<Principal>>();

  constructor(
    options: IntrospectionOptions,
    private readonly clock: Clock = new SystemClock(),
  ) {
    super();
    this.settings = readOptions(options);
    this.answers = new BoundedTable(Math.max(2, this.settings.cache));
  }

  override authenticate(credentials: Credentials): Principal | Promise<Principal> | undefined {
    const token = BEARER.exec(credentials.header('authorization') ?? '')?.[1];
    if (token === undefined) return undefined;
    const answer = this.answers.get(token);
    if (answer === undefined || answer.until <= this.clock.now()) return this.ask(token);
    if (answer.principal !== undefined) return answer.principal;
    throw new InvalidCredentialsError('The token is not active.');
  }

  private ask(token: string): Promise<Principal> {
    const asked = this.asking.get(token);
    if (asked !== undefined) return asked;
    if (this.asking.size >= this.settings.concurrency)
      throw new AuthenticationUnavailableError('Too many tokens are being asked for.');
    const asking = this.introspect(token).finally(() => this.asking.delete(token));
    this.asking.set(token, asking);
    return asking;
  }

  private async introspect(token: string): Promise<Principal> {
    const { url, clientId, clientSecret, cacheFor, refuseFor } = this.settings;
    const basic = [clientId, clientSecret].map(encodeURIComponent).join(':');
    const claims = await fetchJson({
      url,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(basic).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    }).catch((error: unknown) => {
      throw new AuthenticationUnavailableError(
        `A token cannot be asked for. ${messageOf(error)}`,
        error,
      );
    });
    const principal = this.principalOf(claims);
    const now = this.clock.now();
    if (principal === undefined) {
      this.answers.set(token, { until: now + refuseFor });
      throw new InvalidCredentialsError('The token is not active.');
    }
    const left = (principal.expiresAt ?? Infinity) - this.clock.wallTime();
    this.answers.set(token, { principal, until: now + Math.min(cacheFor, left) });
    return principal;
  }

  private principalOf(claims: Record<string, unknown>): Principal | undefined {
    const { audience, rolesClaim, url } = this.settings;
    const { active, sub, client_id: client, exp, iss } = claims;
    if (active !== true) return undefined;
    const audiences = Array.isArray(claims['aud']) ? claims['aud'] : [claims['aud']];
    if (audience !== undefined && !audiences.includes(audience)) return undefined;
    const expiresAt = typeof exp === 'number' ? exp * 1_000 : undefined;
    if (expiresAt !== undefined && expiresAt <= this.clock.wallTime()) return undefined;
    const subject = sub ?? client;
    if (typeof subject !== 'string' || subject === '') return undefined;
    return {
      subject,
      issuer: typeof iss === 'string' ? iss : url,
      scopes: wordsOf(claims['scope']),
      roles: wordsOf(claimOf(claims, rolesClaim)),
      claims,
      ...(expiresAt !== undefined && { expiresAt }),
    };
  }
}

function readOptions(options: IntrospectionOptions) {
  return group({
    url: secureUrl(options.allowInsecure === true),
    clientId: textOf(),
    clientSecret: textOf(),
    audience: optional(textOf()),
    cacheFor: duration('30s'),
    refuseFor: duration('5s'),
    cache: integer(10_000, { min: 0 }),
    concurrency: integer(100, { min: 1 }),
    rolesClaim: text('roles'),
    allowInsecure: flag(false),
  })(options, 'introspection');
}

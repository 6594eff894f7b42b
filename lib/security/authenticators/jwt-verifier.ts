import type { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { claimOf, type Principal, wordsOf } from '../principal.js';
import { BoundedTable } from '../rate-limits/bounded-table.js';
import { AuthenticationUnavailableError, InvalidCredentialsError } from '../security.errors.js';
import type { JoseLibrary, JSONWebKeySet, JWTPayload } from '../tokens/jose.js';
import { fetchJson } from '../tokens/json-fetch.js';
import { KeySet } from '../tokens/key-set.js';
import { secureUrl } from '../tokens/secure-url.js';
import type { JwtSettings } from './jwt.options.js';

/** Where a verifier's notices go. */
export interface VerifierEars {
  /** The issuer's keys cannot be loaded, or can again. */
  onKeys(issuer: string, error: Error | undefined): void;
}

/** Checks the tokens of one issuer, and remembers the good ones until they end or the issuer's keys change. */
export class JwtVerifier {
  private readonly good: BoundedTable<Principal>;
  private readonly spent = new Map<string, number>();
  private readonly keys: KeySet;

  constructor(
    private readonly jose: JoseLibrary,
    private readonly clock: Clock,
    private readonly settings: JwtSettings,
    ears: VerifierEars,
  ) {
    this.good = new BoundedTable(Math.max(2, settings.cache));
    const { refreshAfter, keepFor, cooldown, issuer } = settings;
    this.keys = new KeySet({
      jose,
      clock,
      refreshAfter,
      keepFor: settings.keys ? Infinity : keepFor,
      cooldown,
      load: () => this.loadKeys(),
      onLoad: (error) => ears.onKeys(issuer, error),
      onChange: () => this.good.clear(),
    });
  }

  /** The sender of a token that was found good before and still is. */
  known(token: string): Principal | undefined {
    const principal = this.good.get(token);
    if (principal === undefined || (principal.expiresAt ?? 0) > this.clock.wallTime())
      return principal;
    this.good.delete(token);
    return undefined;
  }

  /** @throws InvalidCredentialsError, AuthenticationUnavailableError */
  async verify(token: string): Promise<Principal> {
    const payload = await this.check(token);
    const principal = this.principalOf(payload);
    if (this.settings.once) this.spend(payload);
    else if (this.settings.cache > 0 && (principal.expiresAt ?? 0) > this.clock.wallTime())
      this.good.set(token, principal);
    return principal;
  }

  private async check(token: string): Promise<JWTPayload> {
    const { issuer, audience, algorithms, type, clockTolerance, maxAge, once } = this.settings;
    try {
      const { payload } = await this.jose.jwtVerify(token, this.keys.find, {
        issuer,
        audience: [...audience],
        algorithms: [...(algorithms ?? ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'])],
        clockTolerance: clockTolerance / 1_000,
        currentDate: new Date(this.clock.wallTime()),
        requiredClaims: once ? ['exp', 'jti'] : ['exp'],
        ...(type !== undefined && { typ: type }),
        ...(maxAge !== undefined && { maxTokenAge: maxAge / 1_000 }),
      });
      return payload;
    } catch (error) {
      if (error instanceof AuthenticationUnavailableError) throw error;
      throw new InvalidCredentialsError(`The token is not good: ${messageOf(error)}.`, error);
    }
  }

  private principalOf(payload: JWTPayload): Principal {
    const { issuer, subjectClaim, scopesClaim, rolesClaim, tenantClaim } = this.settings;
    const subject = claimOf(payload, subjectClaim);
    if (typeof subject !== 'string' || subject === '')
      throw new InvalidCredentialsError(`The token names nobody in '${subjectClaim}'.`);
    const scopes = scopesClaim
      ? claimOf(payload, scopesClaim)
      : (payload['scope'] ?? payload['scp']);
    const tenant = tenantClaim && claimOf(payload, tenantClaim);
    return {
      subject,
      issuer,
      scopes: wordsOf(scopes),
      roles: wordsOf(claimOf(payload, rolesClaim)),
      claims: payload,
      ...(typeof tenant === 'string' && { tenant }),
      expiresAt: (payload.exp ?? 0) * 1_000,
    };
  }

  private spend({ jti, exp = 0 }: JWTPayload): void {
    const now = this.clock.wallTime();
    const id = String(jti);
    if ((this.spent.get(id) ?? 0) > now)
      throw new InvalidCredentialsError('The token was used before.');
    if (this.spent.size >= MOST_SPENT) this.forgetSpent(now);
    this.spent.set(id, exp * 1_000 + this.settings.clockTolerance);
  }

  /** What cannot be remembered could be used twice, so a full memory lets nobody in. */
  private forgetSpent(now: number): void {
    for (const [id, until] of this.spent) if (until <= now) this.spent.delete(id);
    if (this.spent.size >= MOST_SPENT)
      throw new AuthenticationUnavailableError('Too many tokens that are good once are alive.');
  }

  private async loadKeys(): Promise<JSONWebKeySet> {
    const { keys, jwksUri, issuer } = this.settings;
    if (keys) return keys;
    return asKeySet(await fetchJson({ url: jwksUri ?? (await this.discover(issuer)) }));
  }

  /** OpenID Connect Discovery 1.0, section 4. */
  private async discover(issuer: string): Promise<string> {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const found = await fetchJson({ url });
    if (found['issuer'] !== issuer)
      throw new Error(`${url} names another issuer, '${String(found['issuer'])}'`);
    return secureUrl(this.settings.allowInsecure)(found['jwks_uri'], `jwks_uri of ${issuer}`);
  }
}

const MOST_SPENT = 1_000_000;

function asKeySet(value: Record<string, unknown>): JSONWebKeySet {
  return value as unknown as JSONWebKeySet;
}

/** Who a request comes from, as an authenticator has proved it. */
export interface Principal {
  /** Who it is: a user's id, a service's name, an API key's id. Unique together with `issuer`. */
  readonly subject: string;
  /** Who vouches for it: a token's issuer, or the name of the authenticator. */
  readonly issuer: string;
  /** What it may do (OAuth 2.0 scopes). */
  readonly scopes: readonly string[];
  /** What it is. */
  readonly roles: readonly string[];
  /** All that its credentials say of it; plain JSON. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whom it belongs to, where there are tenants. */
  readonly tenant?: string;
  /** When its credentials end, in ms since 1970; absent when they do not say. */
  readonly expiresAt?: number;
}

/** The value of a claim by its name, or by a dotted path such as `realm_access.roles`; a whole name wins. */
export function claimOf(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let value: unknown = claims;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** A claim that lists words: a text with spaces between them, as OAuth writes scopes, or an array. */
export function wordsOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((word) => word !== '');
  if (!Array.isArray(claim)) return [];
  return claim.filter((word): word is string => typeof word === 'string' && word !== '');
}

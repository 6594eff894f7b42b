import type { Principal } from '../principal.js';

/** The header in which a gateway tells a service who a request comes from. No client can set it. */
export const IDENTITY_HEADER = 'x-rookery-identity';

/** The `typ` of such tokens, so that no other token of the same key can be taken for one (RFC 8725, 3.11). */
export const IDENTITY_TYPE = 'rookery-identity+jwt';

/** Signatures of identity tokens. */
export type IdentityAlgorithm = 'EdDSA' | 'ES256' | 'HS256';

/** The claims of an identity token beside the registered ones. */
export interface IdentityClaims {
  /** Who vouched for the sender, before the gateway did. */
  readonly idp?: string;
  readonly scope?: string;
  readonly roles?: readonly string[];
  readonly tenant?: string;
}

/** What goes on of a sender; its other claims stay at the gateway. */
export function identityClaims({ issuer, scopes, roles, tenant }: Principal): IdentityClaims {
  return {
    idp: issuer,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(roles.length > 0 && { roles }),
    ...(tenant !== undefined && { tenant }),
  };
}

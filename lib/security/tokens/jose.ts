import type * as Jose from 'jose';
import { optionalPackage } from '../../common/optional-package.js';

/** What this package uses of jose. */
export type JoseLibrary = Pick<
  typeof Jose,
  | 'createLocalJWKSet'
  | 'decodeJwt'
  | 'errors'
  | 'exportJWK'
  | 'importPKCS8'
  | 'importSPKI'
  | 'jwtVerify'
  | 'SignJWT'
>;

export type { JSONWebKeySet, JWTPayload, JWTVerifyGetKey } from 'jose';

/** Loads jose; once Node has it, again costs nothing. */
export function loadJose(use: string): Promise<JoseLibrary> {
  return optionalPackage(() => import('jose'), { name: 'jose', use });
}

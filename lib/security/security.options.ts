import { group, list, made, optional } from '../common/option-readers.js';
import { Authenticator } from './authenticator.js';
import {
  type IdentityVerifierOptions,
  readIdentityVerifier,
} from './identity/identity-verifier.js';

/** What a service may be told about who may call it. */
export interface SecurityOptions {
  /** How it knows requests that came through the gateway. @default it knows none */
  readonly identity?: IdentityVerifierOptions;
  /** Who else may call it: other services, with tokens of their own. @default nobody */
  readonly authenticators?: readonly Authenticator[];
}

function isAuthenticator(value: unknown): value is Authenticator {
  return value instanceof Authenticator;
}

/** Checks the options of a service. */
export const readSecurityOptions = group({
  identity: optional(readIdentityVerifier),
  authenticators: list(made(isAuthenticator, 'an Authenticator, such as jwt({ … })')),
});

/** A service's options, checked. */
export type SecuritySettings = ReturnType<typeof readSecurityOptions>;

/** The injection token of the settings. */
export const SECURITY_SETTINGS = Symbol('SECURITY_SETTINGS');

import type { Credentials } from './credentials.js';
import type { Principal } from './principal.js';

/**
 * Proves who a request comes from.
 *
 * Several stand in a row; the first that knows the request's kind of credentials decides. One that answers without a
 * promise costs none: what was proved before should be answered from memory.
 *
 * @example
 * @Injectable()
 * class SessionAuthenticator extends Authenticator {
 *   readonly name = 'session';
 *   constructor(private readonly sessions: Sessions) { super(); }
 *   async authenticate(credentials: Credentials) {
 *     const id = credentials.header('x-session');
 *     if (id === undefined) return undefined;
 *     const user = await this.sessions.find(id);
 *     if (!user) throw new InvalidCredentialsError('The session is unknown or over.');
 *     return { subject: user.id, issuer: this.name, scopes: [], roles: user.roles, claims: {} };
 *   }
 * }
 */
export abstract class Authenticator {
  /** What people know it by. */
  abstract readonly name: string;
  /** The scheme that 401 offers in `WWW-Authenticate` (RFC 9110, 11.6.1); undefined when it has none. */
  readonly challenge?: string;
  /** The headers that carry its credentials, in small letters; they do not go on to services. */
  readonly headers: readonly string[] = [];

  /** Gets what it needs; the application starts only after that. What it throws stops the start. */
  async ready(): Promise<void> {}

  /**
   * The sender, or `undefined` when the request shows nothing of this kind.
   *
   * @throws InvalidCredentialsError when what it shows is not good, AuthenticationUnavailableError when that cannot be found out now
   */
  abstract authenticate(
    credentials: Credentials,
  ): Principal | undefined | Promise<Principal | undefined>;
}

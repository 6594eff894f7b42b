import { messageOf } from '../../common/errors.js';
import type { Duration } from '../../common/duration.js';
import { duration, group, list, text, textOf } from '../../common/option-readers.js';
import { Authenticator } from '../../security/authenticator.js';
import type { Credentials } from '../../security/credentials.js';
import { type Principal, wordsOf } from '../../security/principal.js';
import { AuthenticationUnavailableError } from '../../security/security.errors.js';
import type { UpstreamResponse } from '../../upstream/request/upstream-response.js';
import type { Upstream } from '../../upstream/upstream.js';
import type { Upstreams } from '../../upstream/upstreams.js';
import { CredentialsRefusedError } from './credentials-refused.error.js';

/** Which service authenticates for the gateway. */
export interface ForwardAuthOptions {
  /** The service's name. */
  readonly to: string;
  /** Where it is asked, with GET. @default '/' */
  readonly path?: string;
  /** The request's headers that it gets; without any of them it is not asked. @default authorization, cookie */
  readonly headers?: readonly string[];
  /** How long its answer may take. @default '2s' */
  readonly timeout?: Duration;
  /** The header of its answer that names the sender; an answer without it is no authentication. @default 'x-auth-subject' */
  readonly subjectHeader?: string;
  /** The header with the scopes, words with spaces between them. @default 'x-auth-scopes' */
  readonly scopesHeader?: string;
  /** The header with the roles. @default 'x-auth-roles' */
  readonly rolesHeader?: string;
}

const name = { matches: /^[\w-]+$/, remedy: 'Write the name of a header.' };

const read = group({
  to: textOf(),
  path: text('/', { matches: /^\//, remedy: "Begin it with '/'." }),
  headers: list(textOf(name)),
  timeout: duration('2s', { min: 1 }),
  subjectHeader: text('x-auth-subject', name),
  scopesHeader: text('x-auth-scopes', name),
  rolesHeader: text('x-auth-roles', name),
});

/**
 * Asks a service of your own about each request: any 2xx is a yes, 401 and 403 go to the client with their
 * `WWW-Authenticate`, anything else is 503. It also gets `x-forwarded-method`, `x-forwarded-uri` (the path alone) and
 * `x-forwarded-for`, as Traefik's forwardAuth and nginx's auth_request tell it.
 *
 * @example
 * forwardAuth({ to: 'auth', path: '/verify' })
 */
export function forwardAuth(options: ForwardAuthOptions): Authenticator {
  return new ForwardAuthenticator(options);
}

/** @internal */
export class ForwardAuthenticator extends Authenticator {
  override readonly name = 'forward-auth';
  override readonly headers: readonly string[];
  private readonly settings: ReturnType<typeof read>;
  private upstream: Upstream | undefined;

  constructor(options: ForwardAuthOptions) {
    super();
    this.settings = read({ headers: ['authorization', 'cookie'], ...options }, 'forwardAuth');
    this.headers = this.settings.headers.map((each) => each.toLowerCase());
  }

  /** Lets it call its service. */
  bind(upstreams: Upstreams): void {
    this.upstream = upstreams.get(this.settings.to);
  }

  override authenticate(credentials: Credentials): Promise<Principal> | undefined {
    const headers: Record<string, string> = {};
    for (const each of this.headers) {
      const value = credentials.header(each);
      if (value !== undefined) headers[each] = value;
    }
    return Object.keys(headers).length === 0 ? undefined : this.ask(credentials, headers);
  }

  private async ask(
    { method, path: uri, address }: Credentials,
    shown: Readonly<Record<string, string>>,
  ): Promise<Principal> {
    const { path, timeout, to } = this.settings;
    const asked = {
      'x-forwarded-method': method,
      'x-forwarded-uri': uri,
      'x-forwarded-for': address,
    };
    const answer = await this.upstream
      ?.request({ method: 'GET', path, timeout, headers: { ...shown, ...asked } })
      .catch((error: unknown) => {
        throw new AuthenticationUnavailableError(
          `"${to}" cannot be asked. ${messageOf(error)}`,
          error,
        );
      });
    if (answer === undefined) throw new AuthenticationUnavailableError(`"${to}" is not there yet.`);
    answer.discard();
    return this.principalOf(answer);
  }

  private principalOf({ status, headers }: UpstreamResponse): Principal {
    const { to, subjectHeader, scopesHeader, rolesHeader } = this.settings;
    const value = (wanted: string) => headers[wanted.toLowerCase()];
    if (status === 401 || status === 403) {
      const challenge = value('www-authenticate');
      throw new CredentialsRefusedError(status, challenge ? ['www-authenticate', challenge] : []);
    }
    const subject = value(subjectHeader);
    if (status < 200 || status > 299 || !subject)
      throw new AuthenticationUnavailableError(
        `"${to}" answered ${status} without saying who it is.`,
      );
    return {
      subject,
      issuer: to,
      scopes: wordsOf(value(scopesHeader)),
      roles: wordsOf(value(rolesHeader)),
      claims: {},
    };
  }
}

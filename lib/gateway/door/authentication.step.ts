import { messageOf } from '../../common/errors.js';
import type { Authenticator } from '../../security/authenticator.js';
import type { Credentials } from '../../security/credentials.js';
import type { Principal } from '../../security/principal.js';
import {
  AuthenticationUnavailableError,
  InvalidCredentialsError,
} from '../../security/security.errors.js';
import { CredentialsRefusedError } from './credentials-refused.error.js';
import { DoorStep, type Verdict } from './door-step.js';
import type { FailureBans } from './failure-bans.js';
import type { Refusal } from './refusal.js';
import type { Visit } from './visit.js';

/** What authentication is made of. */
export interface AuthenticationParts {
  readonly authenticators: readonly Authenticator[];
  readonly credentialsOf: (visit: Visit) => Credentials;
  /** Keeps out who tries too often; undefined when nobody is. */
  readonly bans: FailureBans | undefined;
}

/** Finds out who sent a request: the first authenticator that knows its kind of credentials decides. */
export class AuthenticationStep extends DoorStep {
  override readonly name = 'authentication';
  private readonly challenges: readonly string[];

  constructor(private readonly parts: AuthenticationParts) {
    super();
    const schemes = parts.authenticators.flatMap(({ challenge }) => challenge ?? []);
    this.challenges = [...new Set(schemes)];
  }

  override enter(visit: Visit): Verdict | Promise<Verdict> {
    const banned = this.parts.bans?.refuse(visit);
    return banned ?? this.ask(0, visit, this.parts.credentialsOf(visit));
  }

  private ask(from: number, visit: Visit, credentials: Credentials): Verdict | Promise<Verdict> {
    const { authenticators } = this.parts;
    for (let at = from; at < authenticators.length; at++) {
      try {
        const found: unknown = (authenticators[at] as Authenticator).authenticate(credentials);
        if (isThenable(found)) return this.wait(found, at, visit, credentials);
        if (found) return this.know(visit, found);
      } catch (error) {
        return this.refusalOf(error, visit);
      }
    }
    return this.unauthorized('it shows no credentials that are known here', '');
  }

  private async wait(
    asked: PromiseLike<unknown>,
    at: number,
    visit: Visit,
    credentials: Credentials,
  ): Promise<Verdict> {
    try {
      const found = await asked;
      if (found) return this.know(visit, found);
    } catch (error) {
      return this.refusalOf(error, visit);
    }
    return this.ask(at + 1, visit, credentials);
  }

  /** An authenticator of the user may give anything; what names nobody lets nobody in. */
  private know(visit: Visit, found: unknown): undefined {
    const { subject, scopes, roles } = found as Partial<Principal>;
    const isSound = typeof subject === 'string' && Array.isArray(scopes) && Array.isArray(roles);
    if (!isSound || subject === '')
      throw new TypeError('An authenticator gave something that is no Principal.');
    visit.principal = found as Principal;
  }

  private refusalOf(error: unknown, visit: Visit): Verdict {
    if (error instanceof AuthenticationUnavailableError)
      return { status: 503, headers: ['retry-after', '1'], reason: error.message };
    if (error instanceof CredentialsRefusedError && error.statusCode === 401)
      this.parts.bans?.failed(visit);
    if (error instanceof CredentialsRefusedError)
      return { status: error.statusCode, headers: error.headers, reason: error.message };
    if (!(error instanceof InvalidCredentialsError)) throw error;
    this.parts.bans?.failed(visit);
    return this.unauthorized(messageOf(error), ' error="invalid_token"');
  }

  /** RFC 6750, 3: what is wrong with a token is said to nobody. */
  private unauthorized(reason: string, attributes: string): Refusal {
    const headers = this.challenges.flatMap((scheme) => ['www-authenticate', scheme + attributes]);
    return { status: 401, headers, reason };
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

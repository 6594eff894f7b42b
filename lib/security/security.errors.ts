import { RookeryError } from '../common/errors.js';

/** What a request shows of its sender is not good; the sentence is for logs, the client hears only the status. */
export class InvalidCredentialsError extends RookeryError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'ERR_INVALID_CREDENTIALS', status: 401, cause });
  }
}

/** Who sent a request cannot be found out now, because whoever knows it does not answer. */
export class AuthenticationUnavailableError extends RookeryError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'ERR_AUTHENTICATION_UNAVAILABLE', status: 503, cause });
  }
}

/** A request did not come through the gateway, or shows an identity that was not made for this service. */
export class UnknownCallerError extends RookeryError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'ERR_UNKNOWN_CALLER', status: 401, cause });
  }
}

/** A token for calls to others could not be got. */
export class TokenRequestError extends RookeryError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'ERR_TOKEN_REQUEST', status: 503, cause });
  }
}

import { RookeryError } from '../common/errors.js';

/** The registry cannot be reached, or broke off in the middle; worth trying again. */
export class BackendUnavailableError extends RookeryError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'ERR_BACKEND_UNAVAILABLE', status: 503, cause });
  }
}

/** The registry refuses us until a person has mended something, such as a token; trying again fast is no use. */
export class BackendRefusedError extends RookeryError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'ERR_BACKEND_REFUSED', status: 503, cause });
  }
}

/** The registry asks to be left alone for a while. */
export class RetryLaterError extends RookeryError {
  constructor(
    message: string,
    /** How long to wait before the next attempt, in ms. */
    readonly retryAfter: number,
  ) {
    super(message, { code: 'ERR_RETRY_LATER', status: 503 });
  }
}

/** A text that cannot be the name of a service was asked for as one. */
export class ServiceNameError extends RookeryError {
  constructor(name: string) {
    super(
      `'${name}' cannot be the name of a service. Use lower-case letters, digits and inner hyphens, at most 63, such as 'order-history'.`,
      { code: 'ERR_SERVICE_NAME', status: 400 },
    );
  }
}

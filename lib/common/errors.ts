import { HttpException } from '@nestjs/common';

/** What every error of this package carries besides its sentence. */
export interface RookeryErrorDetails {
  /** A stable name to test for, such as `ERR_NO_ENDPOINT`. */
  readonly code: string;
  /** The HTTP status it becomes when it leaves a controller. */
  readonly status: number;
  /** What it came from. */
  readonly cause?: unknown;
}

/**
 * The base of every error this package throws.
 *
 * It is an `HttpException` because Nest 12 answers 500 to any other error that carries a status.
 */
export class RookeryError extends HttpException {
  /** A stable name to test for, such as `ERR_NO_ENDPOINT`. */
  readonly code: string;

  constructor(message: string, details: RookeryErrorDetails) {
    super({ statusCode: details.status, error: details.code, message }, details.status, {
      cause: details.cause,
    });
    this.code = details.code;
    this.message = message;
    this.name = new.target.name;
  }

  /** The HTTP status it becomes when it leaves a controller. */
  get statusCode(): number {
    return this.getStatus();
  }
}

/** An option that cannot be used. The sentence names its path and the remedy; the application does not start. */
export class InvalidOptionsError extends RookeryError {
  constructor(message: string) {
    super(message, { code: 'ERR_INVALID_OPTIONS', status: 500 });
  }
}

/** The sentence of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection over several addresses is an AggregateError with an empty message.
  if (error.message) return error.message;
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? error.name;
}

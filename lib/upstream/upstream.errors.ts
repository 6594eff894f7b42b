import { messageOf, RookeryError } from '../common/errors.js';

/** A call to a service that failed before a whole answer came. */
export class UpstreamError extends RookeryError {
  constructor(
    message: string,
    details: { readonly code: string; readonly status: number; readonly cause?: unknown },
    /** The service that was called. */
    readonly service: string,
  ) {
    super(message, details);
  }
}

/** No instance is known that could take the call. */
export class NoEndpointError extends UpstreamError {
  constructor(service: string, known: number) {
    const why =
      known === 0 ? 'no instance is registered' : `${known} known, all leaving, failing or unfit`;
    super(
      `No endpoint of "${service}" can take a request: ${why}.`,
      { code: 'ERR_NO_ENDPOINT', status: 503 },
      service,
    );
  }
}

/** All connections are busy, and enough calls wait for one already. */
export class UpstreamBusyError extends UpstreamError {
  constructor(service: string, waiting: number) {
    super(
      `"${service}" is overloaded: all connections are busy and ${waiting} calls wait for one.`,
      { code: 'ERR_UPSTREAM_BUSY', status: 503 },
      service,
    );
  }
}

/** More calls wait for an answer than the service has time for: further ones are refused at once. */
export class UpstreamOverloadedError extends UpstreamError {
  constructor(service: string, waiting: number) {
    super(
      `"${service}" is overloaded: ${waiting} calls wait for its answers, and they take longer than usual.`,
      { code: 'ERR_UPSTREAM_OVERLOADED', status: 503 },
      service,
    );
  }
}

/** An instance answered with a status that another one might not have; only seen in events. */
export class UpstreamAnswerError extends UpstreamError {
  constructor(service: string, answered: number) {
    super(
      `An instance of "${service}" answered ${answered}.`,
      { code: 'ERR_UPSTREAM_ANSWER', status: 502 },
      service,
    );
  }
}

/** The request that a call belongs to had no time left for it. */
export class DeadlineExceededError extends UpstreamError {
  constructor(service: string) {
    super(
      `"${service}" was not called: the time of the request that needs it is over.`,
      { code: 'ERR_DEADLINE_EXCEEDED', status: 504 },
      service,
    );
  }
}

/** The circuit is open: the service failed too often, and is left alone for a while. */
export class CircuitOpenError extends UpstreamError {
  constructor(service: string) {
    super(
      `The circuit of "${service}" is open after too many failures.`,
      { code: 'ERR_CIRCUIT_OPEN', status: 503 },
      service,
    );
  }
}

/** An instance could not be connected to, or the connection broke before a whole answer came. */
export class UpstreamConnectionError extends UpstreamError {
  constructor(
    service: string,
    reason: string,
    /** Whether any byte of the request had been sent. */
    readonly sent: boolean,
    cause?: unknown,
  ) {
    super(
      `A connection to "${service}" failed: ${reason}.`,
      { code: 'ERR_UPSTREAM_CONNECTION', status: 502, cause },
      service,
    );
  }
}

/** The connection error that a socket's error amounts to. */
export function connectionErrorOf(
  service: string,
  cause: Error,
  sent: boolean,
): UpstreamConnectionError {
  return new UpstreamConnectionError(service, messageOf(cause), sent, cause);
}

/** The answer broke the rules of HTTP/1.1, so that nothing of it can be trusted. */
export class UpstreamProtocolError extends UpstreamError {
  constructor(service: string, reason: string) {
    super(
      `"${service}" answered against HTTP/1.1: ${reason}.`,
      { code: 'ERR_UPSTREAM_PROTOCOL', status: 502 },
      service,
    );
  }
}

/** No answer came in time. */
export class UpstreamTimeoutError extends UpstreamError {
  constructor(service: string, ms: number) {
    super(
      `"${service}" did not answer within ${ms} ms.`,
      { code: 'ERR_UPSTREAM_TIMEOUT', status: 504 },
      service,
    );
  }
}

/** The caller went away, so the call was given up; this hurts nobody's health. */
export class CallCancelledError extends UpstreamError {
  constructor(service: string) {
    super(
      `The call to "${service}" was cancelled by its caller.`,
      { code: 'ERR_CALL_CANCELLED', status: 499 },
      service,
    );
  }
}

/** The caller's own code threw while its call was under way. */
export class CallHandlingError extends UpstreamError {
  constructor(service: string, cause: unknown) {
    super(
      `The call to "${service}" was given up because its caller threw; the cause says why.`,
      { code: 'ERR_CALL_HANDLING', status: 502, cause },
      service,
    );
  }
}

/** A body is longer than its reader takes. */
export class AnswerTooLargeError extends UpstreamError {
  constructor(service: string, limit: number) {
    super(
      `The answer of "${service}" has more than ${limit} bytes.`,
      { code: 'ERR_ANSWER_TOO_LARGE', status: 502 },
      service,
    );
  }
}

/** A request that must not go on the wire as it is; its caller is wrong. */
export class InvalidRequestError extends RookeryError {
  constructor(problem: string) {
    super(`The request was not sent: ${problem}.`, { code: 'ERR_INVALID_REQUEST', status: 500 });
  }
}

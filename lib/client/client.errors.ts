import { RookeryError } from '../common/errors.js';

/** An error as a service describes it (RFC 9457), or as Nest does. */
export interface ProblemDetails {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly instance?: string;
  readonly [extension: string]: unknown;
}

/** The call that an error tells of. */
export interface CalledRoute {
  /** The service that was called. */
  readonly service: string;
  readonly method: string;
  /** The path as it is written in code, such as `/stock/:sku`; for a call without a contract the path that was asked. */
  readonly route: string;
  /** The trace the call belonged to, to look it up in the service's log. */
  readonly traceId?: string | undefined;
}

/**
 * A service answered, and its status is not a success. It leaves a controller with the same status, without the body.
 *
 * @example
 * if (error instanceof RemoteException && error.remoteStatus === 404) return undefined;
 */
export class RemoteException extends RookeryError {
  readonly service: string;
  readonly method: string;
  /** The path as it is written in code, such as `/stock/:sku`. */
  readonly route: string;
  /** The trace the call belonged to, to look it up in the service's log; absent outside of a request. */
  readonly traceId: string | undefined;
  /** What it says of itself, if it answered with JSON. */
  readonly problem: ProblemDetails | undefined;

  constructor(
    { service, method, route, traceId }: CalledRoute,
    /** The status it answered with. */
    readonly remoteStatus: number,
    /** Its answer: parsed when it was JSON, such as `application/problem+json`, else text; at most 64 KiB of it. */
    readonly body: unknown,
  ) {
    const problem = problemIn(body);
    const detail = detailOf(problem);
    super(
      `"${service}" answered ${remoteStatus} to ${method} ${route}${detail === undefined ? '' : `: ${detail}`}.`,
      // A redirect or an interim status would tell our own caller something else than it told us.
      { code: 'ERR_REMOTE', status: remoteStatus >= 400 ? remoteStatus : 502 },
    );
    this.service = service;
    this.method = method;
    this.route = route;
    this.traceId = traceId;
    this.problem = problem;
  }
}

/** A service answered with success, but what it says is no JSON although it claims to be. */
export class UnreadableAnswerError extends RookeryError {
  /** The service that was called. */
  readonly service: string;

  constructor({ service, method, route }: CalledRoute, cause: unknown) {
    super(`"${service}" answered ${method} ${route} with malformed JSON.`, {
      code: 'ERR_UNREADABLE_ANSWER',
      status: 502,
      cause,
    });
    this.service = service;
  }
}

/** A service answered with success, but not with what its contract says. */
export class InvalidAnswerError extends RookeryError {
  /** The service that was called. */
  readonly service: string;

  constructor(
    { service, method, route }: CalledRoute,
    /** What the schema says, each with the place it is about. */
    readonly issues: readonly string[],
  ) {
    super(
      `"${service}" answered ${method} ${route} with something else than its contract says: ${issues.join('; ')}.`,
      { code: 'ERR_INVALID_ANSWER', status: 502 },
    );
    this.service = service;
  }
}

/** A batch was asked for something that is not among what it brought. */
export class NotInBatchError extends RookeryError {
  constructor(key: unknown) {
    super(`The batch brought nothing for ${JSON.stringify(key)?.slice(0, 100)}.`, {
      code: 'ERR_NOT_IN_BATCH',
      status: 404,
    });
  }
}

function problemIn(body: unknown): ProblemDetails | undefined {
  return typeof body === 'object' && body !== null && !Array.isArray(body)
    ? (body as ProblemDetails)
    : undefined;
}

/** The sentence in a problem (RFC 9457) or in an error of Nest. */
function detailOf(problem: ProblemDetails | undefined): string | undefined {
  if (problem === undefined) return undefined;
  for (const key of ['detail', 'message', 'title']) {
    const value: unknown = problem[key];
    if (typeof value === 'string' && value !== '') return value.slice(0, 200).replace(/\.$/, '');
  }
  return undefined;
}

import { RookeryError } from '../common/errors.js';

/** A service answered, and its status is not a success. It leaves a controller with the same status, without the body. */
export class RemoteError extends RookeryError {
  constructor(
    /** The service that was called. */
    readonly service: string,
    /** The status it answered with. */
    readonly remoteStatus: number,
    /** Its answer: parsed when it was JSON, such as `application/problem+json`, else text; at most 64 KiB of it. */
    readonly body: unknown,
    request: string,
  ) {
    const detail = detailOf(body);
    super(
      `"${service}" answered ${remoteStatus} to ${request}${detail === undefined ? '' : `: ${detail}`}.`,
      // A redirect or an interim status would tell our own caller something else than it told us.
      { code: 'ERR_REMOTE', status: remoteStatus >= 400 ? remoteStatus : 502 },
    );
  }
}

/** A service answered with success, but what it says is no JSON although it claims to be. */
export class UnreadableAnswerError extends RookeryError {
  constructor(
    /** The service that was called. */
    readonly service: string,
    request: string,
    cause: unknown,
  ) {
    super(`"${service}" answered ${request} with malformed JSON.`, {
      code: 'ERR_UNREADABLE_ANSWER',
      status: 502,
      cause,
    });
  }
}

/** The sentence in a problem (RFC 9457) or in an error of Nest. */
function detailOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  for (const key of ['detail', 'message', 'title']) {
    const value: unknown = Reflect.get(body, key);
    if (typeof value === 'string' && value !== '') return value.slice(0, 200).replace(/\.$/, '');
  }
  return undefined;
}

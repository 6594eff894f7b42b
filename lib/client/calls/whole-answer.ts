import type {
  ResponseHeaders,
  UpstreamResponse,
} from '../../upstream/request/upstream-response.js';
import { type CalledRoute, RemoteException, UnreadableAnswerError } from '../client.errors.js';

/** What is read of an answer that is an error. */
const ERROR_LIMIT = 64 * 1024;

/** An answer that was read to its end; several callers may share one. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** `undefined` when it is an error and could not be had. */
  readonly body: Buffer | undefined;
}

/** Reads an answer to its end; of an error only what fits, because its status is the news. */
export async function readWhole(answer: UpstreamResponse, limit: number): Promise<WholeAnswer> {
  const { status, headers } = answer;
  if (answer.ok || status === 304) return { status, headers, body: await answer.bytes(limit) };
  const body = await answer.bytes(ERROR_LIMIT).catch(() => undefined);
  return { status, headers, body };
}

/** What an answer says: JSON parsed, anything else as text, nothing as `undefined`; throws `RemoteException` for an error. */
export function valueOf(answer: WholeAnswer, call: CalledRoute): unknown {
  const { status } = answer;
  if (status < 200 || status > 299) throw new RemoteException(call, status, errorBody(answer));
  const text = answer.body?.toString('utf8') ?? '';
  if (text === '') return undefined;
  if (!isJson(answer)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UnreadableAnswerError(call, error);
  }
}

function errorBody(answer: WholeAnswer): unknown {
  const text = answer.body?.toString('utf8');
  if (text === undefined || !isJson(answer)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function isJson({ headers }: WholeAnswer): boolean {
  return /^application\/(?:[\w.!#$&^-]+\+)?json\b/i.test(headers['content-type'] ?? '');
}

import { RookeryError } from '../../common/errors.js';

/** An answer of an identity provider that cannot be used. */
class JsonFetchError extends RookeryError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'ERR_JSON_FETCH', status: 503, cause });
  }
}

/** The most bytes of an answer; key sets and tokens are far smaller. */
const MOST = 1 << 18;
const TIMEOUT = 5_000;

/** A request of an identity provider's endpoint. */
export interface JsonRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/**
 * Gets a JSON object. Redirects are not followed, because they would lead keys and secrets to where nobody said they may
 * go; an answer is read up to 256 KiB, within five seconds.
 *
 * @throws JsonFetchError naming the URL, without its query, and what was wrong
 */
export async function fetchJson(request: JsonRequest): Promise<Record<string, unknown>> {
  const { url, method = 'GET', headers, body, signal } = request;
  const name = url.split('?', 1)[0];
  const timeout = AbortSignal.timeout(TIMEOUT);
  try {
    const response = await fetch(url, {
      method,
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      headers: { accept: 'application/json', ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await readText(response);
    if (response.status !== 200) throw new Error(`it answered ${response.status}`);
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    throw new Error('its answer is no JSON object');
  } catch (error) {
    throw new JsonFetchError(`${name} cannot be used: ${reasonOf(error)}.`, error);
  }
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MOST) throw new Error(`its answer is longer than ${MOST} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** `fetch` hides what happened in a cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it did not answer in time';
  if (error instanceof SyntaxError) return 'its answer is no JSON';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

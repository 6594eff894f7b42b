import { Readable } from 'node:stream';
import type { Duration } from '../common/duration.js';
import type { UpstreamRequest } from '../upstream/request/upstream-request.js';
import { InvalidRequestError } from '../upstream/upstream.errors.js';

type QueryValue = string | number | boolean | null | undefined;

/** What a call to a service may say, whatever becomes of its answer. */
export interface CallOptions {
  /** Added to the path, encoded; `undefined` and `null` are left out, lists repeat their name. */
  readonly query?: Readonly<Record<string, QueryValue | readonly QueryValue[]>>;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Sent as JSON; bytes and streams as they are, and so is a text whose `content-type` is given. */
  readonly body?: unknown;
  /** How long the whole call may take, a second try and the answer's body included. Default: the upstream's timeouts. */
  readonly timeout?: Duration;
  /** Gives the call up when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Names the call in the header `idempotency-key`, so that the service can tell a repetition from a new one; then it may
   * be sent again when its connection breaks, whatever its method.
   */
  readonly idempotencyKey?: string;
  /** Whether it does no harm twice, as most `PUT`s and `DELETE`s, so that it may be sent again. @default the method is safe */
  readonly idempotent?: boolean;
}

/** What a call to a service may say whose answer is read. */
export interface ClientOptions<T = unknown> extends CallOptions {
  /** The most bytes of an answer that are read. @default 10485760 (10 MiB) */
  readonly limit?: number;
  /** Whether it may share an identical read under way; only GET and HEAD can. @default as the module says */
  readonly coalesce?: boolean;
  /** Whether it may be answered from the cache; `false` asks the service anew. @default as the module says */
  readonly cache?: boolean;
  /** The path as it is written in code, for errors and metrics: `/stock/:sku`. @default the path without its query */
  readonly route?: string;
  /**
   * What to return instead when the service could not be reached, failed or answered 5xx: a value, or a function of the
   * error. A 4xx says that this call was wrong, and a call that its own caller gave up wants no answer: both still throw.
   */
  readonly fallback?: T | ((error: Error) => T | Promise<T>);
}

/** Writes a call down as a request; throws `InvalidRequestError` for a path that is none. */
export function toRequest(
  method: string,
  path: string,
  options: CallOptions,
  context: Readonly<Record<string, string>>,
): UpstreamRequest {
  const { timeout, signal, idempotencyKey, idempotent } = options;
  const headers = {
    accept: 'application/json',
    ...context,
    ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    ...lowerCased(options.headers),
  };
  return {
    method,
    path: withQuery(checkedPath(path), options.query),
    ...contentOf(options.body, headers),
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
    ...(idempotent === undefined ? {} : { idempotent }),
  };
}

const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** A path is put together from what users typed; it must not lead anywhere else than it looks. */
function checkedPath(path: string): string {
  if (!path.startsWith('/') || path.startsWith('//')) {
    throw new InvalidRequestError(
      `"${path.slice(0, 100)}" is no path. Begin it with one "/"; the service is named by itself`,
    );
  }
  const [segments = ''] = path.split('?');
  if (DOT_SEGMENT.test(segments)) {
    throw new InvalidRequestError(
      'its path has a "." or ".." segment. Encode what you put into a path with encodeURIComponent',
    );
  }
  return path;
}

function withQuery(path: string, query: CallOptions['query']): string {
  if (query === undefined) return path;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? (value as QueryValue[]) : [value as QueryValue]) {
      if (each !== undefined && each !== null) search.append(name, String(each));
    }
  }
  const text = search.toString();
  return text === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${text}`;
}

function contentOf(
  body: unknown,
  headers: Record<string, string | readonly string[] | undefined>,
): Pick<UpstreamRequest, 'body' | 'headers'> {
  if (body === undefined) return { headers };
  const typed = headers['content-type'] !== undefined;
  if (body instanceof Uint8Array || body instanceof Readable) return { headers, body };
  if (typed && typeof body === 'string') return { headers, body };
  return {
    headers: typed ? headers : { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

export function lowerCased(
  headers: CallOptions['headers'],
): Record<string, string | readonly string[] | undefined> {
  // What must not be written at all is refused where it is written; without a prototype, any name is only a name.
  const lower = Object.create(null) as Record<string, string | readonly string[] | undefined>;
  if (headers === undefined) return lower;
  for (const name of Object.keys(headers)) lower[name.toLowerCase()] = headers[name];
  return lower;
}

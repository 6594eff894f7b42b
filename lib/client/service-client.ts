import { Injectable } from '@nestjs/common';
import { RequestContext } from '../common/request-context.js';
import type { UpstreamResponse } from '../upstream/request/upstream-response.js';
import { CallCancelledError, UpstreamError } from '../upstream/upstream.errors.js';
import { Upstreams } from '../upstream/upstreams.js';
import { type ClientOptions, toRequest } from './client-request.js';
import { RemoteError, UnreadableAnswerError } from './client.errors.js';

const LIMIT = 10 * 1024 * 1024;
/** What is read of an answer that is an error. */
const ERROR_LIMIT = 64 * 1024;

/**
 * Calls other services by name: an instance is chosen, a failed one is avoided, and the request's trace goes along.
 *
 * Every method returns the parsed answer, throws `RemoteError` for a status outside of 200 to 299 and `UpstreamError`
 * when there was no whole answer, unless the call has a fallback.
 *
 * @example
 * constructor(private readonly client: ServiceClient) {}
 * stockOf(id: string) {
 *   const path = `/stock/${encodeURIComponent(id)}`;
 *   return this.client.get<Stock>('inventory', path, { timeout: '2s', fallback: { id, amount: 0 } });
 * }
 */
@Injectable()
export class ServiceClient {
  constructor(
    private readonly upstreams: Upstreams,
    private readonly context: RequestContext,
  ) {}

  get<T = unknown>(service: string, path: string, options?: ClientOptions<T>): Promise<T> {
    return this.request('GET', service, path, options);
  }

  post<T = unknown>(service: string, path: string, options?: ClientOptions<T>): Promise<T> {
    return this.request('POST', service, path, options);
  }

  put<T = unknown>(service: string, path: string, options?: ClientOptions<T>): Promise<T> {
    return this.request('PUT', service, path, options);
  }

  patch<T = unknown>(service: string, path: string, options?: ClientOptions<T>): Promise<T> {
    return this.request('PATCH', service, path, options);
  }

  delete<T = unknown>(service: string, path: string, options?: ClientOptions<T>): Promise<T> {
    return this.request('DELETE', service, path, options);
  }

  /** Any method; the others are short for it. */
  async request<T = unknown>(
    method: string,
    service: string,
    path: string,
    options: ClientOptions<T> = {},
  ): Promise<T> {
    const what = `${method} ${path.split('?')[0]}`;
    try {
      const attributes = { 'http.request.method': method, 'server.address': service };
      return await this.context.call({ name: method, attributes }, async (headers) => {
        const request = toRequest(method, path, options, headers);
        const answer = await this.upstreams.get(service).request(request);
        if (!answer.ok) throw await remoteError(service, what, answer);
        return read<T>(service, what, answer, options.limit ?? LIMIT);
      });
    } catch (error) {
      if (!('fallback' in options) || !isFailure(error)) throw error;
      return replacement(options.fallback, error);
    }
  }
}

async function read<T>(
  service: string,
  what: string,
  answer: UpstreamResponse,
  limit: number,
): Promise<T> {
  const text = await answer.text(limit);
  if (text === '') return undefined as T;
  if (!isJson(answer)) return text as T;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new UnreadableAnswerError(service, what, error);
  }
}

async function remoteError(
  service: string,
  what: string,
  answer: UpstreamResponse,
): Promise<RemoteError> {
  let body: unknown;
  try {
    body = await answer.text(ERROR_LIMIT);
    if (typeof body === 'string' && isJson(answer)) body = JSON.parse(body);
  } catch {
    // The status is the news; a body that cannot be had or read takes nothing away from it.
  }
  return new RemoteError(service, answer.status, body, what);
}

function isJson(answer: UpstreamResponse): boolean {
  return /^application\/(?:[\w.!#$&^-]+\+)?json\b/i.test(answer.headers['content-type'] ?? '');
}

/** Whether the service, not its caller, is the reason. */
function isFailure(error: unknown): error is Error {
  if (error instanceof CallCancelledError) return false;
  if (error instanceof RemoteError) return error.remoteStatus >= 500;
  return error instanceof UpstreamError || error instanceof UnreadableAnswerError;
}

function replacement<T>(fallback: ClientOptions<T>['fallback'], error: Error): T | Promise<T> {
  if (typeof fallback === 'function') return (fallback as (error: Error) => T | Promise<T>)(error);
  return fallback as T;
}

import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { RequestContext } from '../common/request-context.js';
import type { UpstreamRequest } from '../upstream/request/upstream-request.js';
import type { UpstreamResponse } from '../upstream/request/upstream-response.js';
import {
  CallCancelledError,
  InvalidRequestError,
  UpstreamError,
} from '../upstream/upstream.errors.js';
import { Upstreams } from '../upstream/upstreams.js';
import { Answers } from './calls/answers.js';
import { Batch, type BatchOptions } from './calls/batch.js';
import { valueOf } from './calls/whole-answer.js';
import { type CallOptions, type ClientOptions, lowerCased, toRequest } from './client-request.js';
import {
  InvalidAnswerError,
  NotInBatchError,
  RemoteException,
  UnreadableAnswerError,
} from './client.errors.js';
import { CLIENT_SETTINGS, type ClientSettings } from './client.options.js';

const LIMIT = 10 * 1024 * 1024;

/**
 * Calls other services by name: an instance is chosen, a failed one is avoided, and the request's trace goes along.
 *
 * `get` and its like return the parsed answer; they throw `RemoteException` for a status outside of 200 to 299 and
 * `UpstreamError` when there was no whole answer, unless the call has a fallback. `fetch` gives the answer as it comes,
 * whatever its status, with `json()`, `text()`, `bytes()` and the stream `body`.
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
  private readonly answers: Answers;

  constructor(
    private readonly upstreams: Upstreams,
    private readonly context: RequestContext,
    clock: Clock,
    @Inject(CLIENT_SETTINGS) private readonly settings: ClientSettings,
  ) {
    this.answers = new Answers(upstreams, context, clock, settings);
  }

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
  // oxlint-disable-next-line eslint/max-params -- as the short forms, with the method before them
  async request<T = unknown>(
    method: string,
    service: string,
    path: string,
    options: ClientOptions<T> = {},
  ): Promise<T> {
    const identity = { ...this.propagated(), ...lowerCased(options.headers) };
    const route = options.route ?? path.split('?', 1)[0] ?? path;
    const traceId = this.context.current?.trace.traceId;
    const attributes = { 'http.request.method': method, 'server.address': service };
    try {
      return await this.context.call({ name: method, attributes }, async (place) => {
        const headers = { ...this.outgoing(), ...place };
        const request = toRequest(method, path, { ...options, headers: identity }, headers);
        const answer = await this.answers.answer({
          service,
          request,
          identity,
          limit: options.limit ?? LIMIT,
          coalesce: options.coalesce ?? this.settings.coalesce,
          cache: options.cache ?? true,
        });
        return valueOf(answer, { service, method, route, traceId }) as T;
      });
    } catch (error) {
      if (!('fallback' in options) || !isFailure(error)) throw error;
      return replacement(options.fallback, error);
    }
  }

  /**
   * Like `fetch`, with the name of a service where an address would stand; the promise is kept with the answer's head.
   * Such a call is neither cached nor shared, because its body is a stream. Read the body, or call `discard`.
   *
   * @throws UpstreamError when no whole head came, InvalidRequestError for a URL that names no service
   * @example
   * const answer = await client.fetch('http://reports/2026.csv', { headers: { accept: 'text/csv' } });
   * if (answer.ok) await pipeline(answer.body, createWriteStream('2026.csv'));
   */
  async fetch(
    url: string,
    options: CallOptions & { readonly method?: string } = {},
  ): Promise<UpstreamResponse> {
    const { service, path } = readUrl(url);
    const { method = 'GET' } = options;
    const headers = { ...this.propagated(), accept: '*/*', ...lowerCased(options.headers) };
    const request = toRequest(method.toUpperCase(), path, { ...options, headers }, this.outgoing());
    try {
      return await this.upstreams.get(service).request(request);
    } finally {
      if (!isRead(request)) this.answers.changed(service, request.path);
    }
  }

  /**
   * Makes many single questions one: those asked in one go, as in a loop or `Promise.all`, are asked together.
   *
   * @example
   * private readonly stockOf = this.client.batch<string, Stock>({
   *   load: (skus) => this.client.get('inventory', '/stock', { query: { sku: skus } }),
   *   key: (stock) => stock.sku,
   * });
   */
  batch<K, V>(options: BatchOptions<K, V>): (key: K) => Promise<V> {
    const batch = new Batch(options, this.context);
    return (key) => batch.one(key);
  }

  private outgoing(): Readonly<Record<string, string>> {
    return this.context.outgoing();
  }

  /** The headers of the request being handled that the options name. */
  private propagated(): Record<string, string | readonly string[]> {
    const came = this.context.current?.headers;
    const headers: Record<string, string | readonly string[]> = {};
    if (!came) return headers;
    for (const name of this.settings.propagate) {
      const value = came[name];
      if (value !== undefined) headers[name] = value;
    }
    return headers;
  }
}

/** Splits `http://inventory/stock/7`; `new URL` would change paths and hide what leads elsewhere. */
function readUrl(url: string): { readonly service: string; readonly path: string } {
  const [, service, path = ''] = /^http:\/\/([^/?#]+)(.*)$/s.exec(url) ?? [];
  if (service === undefined) {
    throw new InvalidRequestError(
      `"${url.slice(0, 100)}" names no service. Write it like http://inventory/stock/7`,
    );
  }
  return { service, path: path.startsWith('/') ? path : `/${path}` };
}

function isRead({ method = 'GET' }: UpstreamRequest): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** Whether the service, not its caller, is the reason. */
export function isFailure(error: unknown): error is Error {
  if (error instanceof CallCancelledError || error instanceof NotInBatchError) return false;
  if (error instanceof RemoteException) return error.remoteStatus >= 500;
  return (
    error instanceof UpstreamError ||
    error instanceof UnreadableAnswerError ||
    error instanceof InvalidAnswerError
  );
}

function replacement<T>(fallback: ClientOptions<T>['fallback'], error: Error): T | Promise<T> {
  if (typeof fallback === 'function') return (fallback as (error: Error) => T | Promise<T>)(error);
  return fallback as T;
}

import type { Clock } from '../../common/clock.js';
import type { ExchangeFailure } from '../filters/exchange-ears.js';
import type { GatewayExchange } from '../filters/gateway-exchange.js';
import type { NextFilter } from '../filters/gateway-filter.js';
import { refreshBehind } from './background-refresh.js';
import { type CacheStatus, formatCacheStatus } from './cache-status.js';
import { CacheRequest, type Detour } from './cache-request.js';
import { CachedResponse } from './cached-response.js';
import { type Flight, Flights } from './flights.js';
import type { ResponseStore } from './response-store.js';
import type { Storing } from './storing.js';

/** What an upstream answers that cannot answer (RFC 5861, 4). */
const ERRORS = new Set([500, 502, 503, 504]);
/** The status of a request whose client left. */
const CLIENT_GONE = 499;
/** How long nobody waits for the answer to what could not be kept the last time, in ms. */
const UNSTORABLE = 10_000;
/** How many such addresses are remembered. */
const MOST_UNSTORABLE = 1_000;

/** What a route with a response cache is made of. */
export interface CachedRouteParts {
  readonly store: ResponseStore;
  readonly storing: Storing;
  readonly clock: Clock;
  /** The most bytes of a body that is kept. */
  readonly mostBody: number;
  /** How long one request waits for another, in ms. */
  readonly patience: number;
  readonly heedsClients: boolean;
  readonly tellsStatus: boolean;
}

/** How a request goes on that is not answered from the cache. */
interface Course {
  readonly request: CacheRequest;
  readonly found: CachedResponse | undefined;
  readonly detour: Detour;
  readonly flight: Flight | undefined;
}

/** The requests of one route, on their way past or through the cache. */
export class CachedRoute {
  private readonly flights = new Flights();
  /** What could not be kept, and until when that is believed. */
  private readonly unstorable = new Map<string, number>();

  constructor(private readonly parts: CachedRouteParts) {}

  /** Answers a request from the cache, or leads it on. */
  lead(exchange: GatewayExchange, next: NextFilter): void | Promise<void> {
    // The opening of a tunnel has no answer to keep.
    if ('upgrade' in exchange.raw && exchange.raw.upgrade === true) return next(exchange);
    const request = new CacheRequest(exchange, this.parts.heedsClients);
    const detour = request.detour(exchange.hasBody);
    if (detour === undefined) return this.look(exchange, next, request);
    exchange.onResponse(() => {
      if (exchange.fromUpstream) this.invalidate(request, exchange.response?.status ?? 0);
      this.tell(exchange, { forwarded: detour });
    });
    return next(exchange);
  }

  private look(
    exchange: GatewayExchange,
    next: NextFilter,
    request: CacheRequest,
    collapsed = false,
  ): void | Promise<void> {
    const { store } = this.parts;
    const all = store.get(request.key).filter(({ parts }) => parts.route === request.route);
    const found = all.find((response) => response.isFor(request));
    const key = request.flightKey(all);
    if (found && this.isAnswered(exchange, request, found, collapsed)) return undefined;
    if (found && !request.wantsNew && found.mayServeWhileRevalidating) {
      this.refresh(exchange, next, { request, found, key });
      return this.give(exchange, request, found, { hit: found.left });
    }
    if (request.onlyIfCached) return exchange.answer({ status: 504 });
    const detour = detourOf(request, found, all.length > 0);
    const flight = this.flights.get(key);
    if (request.method === 'HEAD') return this.pass(exchange, next, detour);
    if (flight === undefined) {
      return this.fetch(exchange, next, {
        request,
        found,
        detour,
        flight: this.flights.start(key),
      });
    }
    const course = { request, found, detour, flight: undefined };
    if (request.wantsNew || this.isUnstorable(request)) return this.fetch(exchange, next, course);
    return flight
      .wait(this.parts.clock, this.parts.patience)
      .then((landing) =>
        landing === 'unstorable'
          ? this.fetch(exchange, next, course)
          : this.look(exchange, next, request, landing === 'stored'),
      );
  }

  private isAnswered(
    exchange: GatewayExchange,
    request: CacheRequest,
    found: CachedResponse,
    collapsed: boolean,
  ): boolean {
    if (!request.takes(found)) return false;
    this.give(exchange, request, found, { hit: found.left, collapsed });
    return true;
  }

  /** Goes on to the upstream, and nothing is kept. */
  private pass(exchange: GatewayExchange, next: NextFilter, detour: Detour): void | Promise<void> {
    exchange.onResponse(() => this.tell(exchange, { forwarded: detour }));
    return next(exchange);
  }

  /** Goes on to the upstream, and keeps what may be kept. */
  private fetch(exchange: GatewayExchange, next: NextFilter, course: Course): void | Promise<void> {
    const { found, flight, request } = course;
    const landed = { isCopying: false };
    this.ask(exchange, request, found);
    exchange.onResponse(() => this.onResponse(exchange, course, landed));
    exchange.onFailure((_, failure) => this.onFailure(exchange, course, failure));
    exchange.onFinished((_, status) => {
      // Where its client has left, another may try; where it failed, all others would fail one after the other.
      if (!landed.isCopying) flight?.land(status === CLIENT_GONE ? 'gone' : 'unstorable');
    });
    return next(exchange);
  }

  /** Asks for what is newer than what is kept, or for the whole, so that it can be kept. */
  private ask(
    { headers }: GatewayExchange,
    request: CacheRequest,
    found: CachedResponse | undefined,
  ): void {
    if (found === undefined && this.isUnstorable(request)) return;
    headers.remove('if-none-match');
    headers.remove('if-modified-since');
    if (found?.etag !== undefined) headers.set('if-none-match', found.etag);
    else if (found?.lastModified !== undefined)
      headers.set('if-modified-since', found.lastModified);
  }

  private onResponse(
    exchange: GatewayExchange,
    course: Course,
    landed: { isCopying: boolean },
  ): void {
    const { response } = exchange;
    const { request, found, flight, detour } = course;
    if (!response?.fromUpstream) return;
    const { status } = response;
    if (found && status === 304) return this.onNotModified(exchange, course, found);
    if (found && ERRORS.has(status) && found.mayServeOnError) {
      flight?.land('unstorable');
      return this.give(exchange, request, found, {
        hit: found.left,
        forwarded: detour,
        upstreamStatus: status,
      });
    }
    const { store, mostBody } = this.parts;
    const fresh = this.parts.storing.judge(request, response);
    const length = Number(response.headers.get('content-length') ?? 0);
    if (!fresh || length > mostBody) {
      if (found && !ERRORS.has(status)) store.remove(request.key, found);
      this.remember(request);
      flight?.land('unstorable');
      return this.tell(exchange, { forwarded: detour });
    }
    landed.isCopying = true;
    exchange.copyBody(mostBody, store, (body, isTooLarge) => {
      if (body) store.put(request.key, new CachedResponse({ ...fresh.parts, body }), found);
      if (isTooLarge) this.remember(request);
      else this.unstorable.delete(request.key);
      flight?.land(body ? 'stored' : isTooLarge ? 'unstorable' : 'gone');
    });
    if (request.has(fresh))
      this.give(exchange, request, fresh, {
        forwarded: detour,
        upstreamStatus: status,
        stored: true,
      });
    else this.tell(exchange, { forwarded: detour, stored: true });
  }

  private onNotModified(exchange: GatewayExchange, course: Course, found: CachedResponse): void {
    const { request, flight, detour } = course;
    const { store, storing } = this.parts;
    const { response } = exchange;
    const refreshed = response && storing.refreshed(request, found, response.headers);
    if (refreshed) {
      store.put(request.key, refreshed, found);
      flight?.land('stored');
      return this.give(exchange, request, refreshed, {
        forwarded: detour,
        upstreamStatus: 304,
        stored: true,
      });
    }
    // It is not what is kept that has not changed.
    store.remove(request.key, found);
    flight?.land('unstorable');
    exchange.headers.remove('if-none-match');
    exchange.headers.remove('if-modified-since');
    if (!exchange.again()) exchange.answer({ status: 502 });
  }

  private onFailure(
    exchange: GatewayExchange,
    course: Course,
    { status }: ExchangeFailure,
  ): boolean {
    const { found, flight, request, detour } = course;
    flight?.land('unstorable');
    if (!found?.mayServeOnError || !ERRORS.has(status)) return false;
    this.give(exchange, request, found, { hit: found.left, forwarded: detour });
    return true;
  }

  private give(
    exchange: GatewayExchange,
    request: CacheRequest,
    response: CachedResponse,
    status: CacheStatus,
  ): void {
    const text = this.parts.tellsStatus ? formatCacheStatus(status) : undefined;
    exchange.answer(response.answer(request.has(response), text));
  }

  private tell({ response }: GatewayExchange, status: CacheStatus): void {
    if (this.parts.tellsStatus) response?.headers.add('cache-status', formatCacheStatus(status));
  }

  /** What was changed there is not what is kept any more (RFC 9111, 4.4). */
  private invalidate({ key, method }: CacheRequest, status: number): void {
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return;
    if (status >= 200 && status < 400) this.parts.store.remove(key);
  }

  private refresh(
    exchange: GatewayExchange,
    next: NextFilter,
    { request, found, key }: { request: CacheRequest; found: CachedResponse; key: string },
  ): void {
    if (this.flights.get(key)) return;
    const flight = this.flights.start(key);
    const { store, storing, mostBody } = this.parts;
    refreshBehind(exchange, next, {
      prepare: (shadow) => this.ask(shadow, request, found),
      mostBody,
      budget: store,
      onAnswer: ({ status, headers, body }) => {
        const fresh =
          status === 304
            ? storing.refreshed(request, found, headers)
            : storing.judge(request, { status, headers });
        if (fresh)
          store.put(
            request.key,
            status === 304 ? fresh : new CachedResponse({ ...fresh.parts, body }),
            found,
          );
        else if (!ERRORS.has(status)) store.remove(request.key, found);
        flight.land(fresh ? 'stored' : 'unstorable');
      },
      onFailure: () => flight.land('unstorable'),
    });
  }

  private isUnstorable({ key }: CacheRequest): boolean {
    return (this.unstorable.get(key) ?? 0) > this.parts.clock.now();
  }

  private remember({ key }: CacheRequest): void {
    this.unstorable.delete(key);
    this.unstorable.set(key, this.parts.clock.now() + UNSTORABLE);
    for (const oldest of this.unstorable.keys()) {
      if (this.unstorable.size <= MOST_UNSTORABLE) return;
      this.unstorable.delete(oldest);
    }
  }
}

/** Why what is kept does not answer a request. */
function detourOf(
  request: CacheRequest,
  found: CachedResponse | undefined,
  hasOthers: boolean,
): Detour {
  if (found) return request.wantsNew ? 'request' : 'stale';
  return hasOthers ? 'vary-miss' : 'uri-miss';
}

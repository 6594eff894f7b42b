import type { Duration } from '../../common/duration.js';
import type { Args } from '../args.js';
import { defineFilter } from './gateway-filter.js';
import { loadPolicies } from '../../common/http-cache-policy.js';
import { CachedRoute } from '../response-cache/cached-route.js';
import { Storing } from '../response-cache/storing.js';

/** How answers are kept. */
export interface ResponseCacheArgs {
  /**
   * How long answers are fresh that say nothing of it; only with statuses such as 200, and only where the request has
   * neither `Authorization` nor cookies. @default '0s', they are not kept
   */
  readonly ttl?: Duration;
  /** How long a stale answer is given while a new one is fetched, unless the answer says it. @default '0s' */
  readonly staleWhileRevalidate?: Duration;
  /** How long a stale answer is given in place of an error, unless the answer says it. @default '0s' */
  readonly staleIfError?: Duration;
  /** The most bytes of a body that is kept. @default 1048576, 1 MiB */
  readonly body?: number;
  /** How long a request waits for another that asks for the same; then it goes on by itself. @default '5s' */
  readonly wait?: Duration;
  /** Whether clients may ask for what is newer, with `Cache-Control: no-cache` and the like. @default true */
  readonly clientControl?: boolean;
  /** Whether answers tell what the cache did, in `Cache-Status` (RFC 9211). @default true */
  readonly status?: boolean;
}

/**
 * Keeps answers to GET as their `Cache-Control` allows (RFC 9111), and gives them to GET and HEAD:
 * `responseCache({ staleIfError: '1m' })`.
 *
 * What is private, sets a cookie, or was asked for with `Authorization` and is not public, is never kept. Filters before it
 * see every request; those behind it only what goes to the upstream. How much is kept is the gateway's option
 * `responseCache`.
 */
export const responseCache = defineFilter({
  name: 'ResponseCache',
  read: (args: Args<ResponseCacheArgs>) => ({
    lifetimes: {
      ttl: args.duration('ttl', '0s') / 1_000,
      whileRevalidate: args.duration('staleWhileRevalidate', '0s') / 1_000,
      ifError: args.duration('staleIfError', '0s') / 1_000,
    },
    mostBody: args.integer('body', { default: 1 << 20, min: 0 }),
    patience: args.duration('wait', '5s'),
    heedsClients: args.flag('clientControl', true),
    tellsStatus: args.flag('status', true),
  }),
  create: ({ lifetimes, ...settings }, { clock, responses: store }) => {
    let route: CachedRoute | undefined;
    const loaded = loadPolicies(clock).then((policies) => {
      const storing = new Storing(policies, lifetimes);
      route = new CachedRoute({ ...settings, store, storing, clock });
      return route;
    });
    // The requests that wait for it tell of a failure.
    loaded.catch(() => {});
    return (exchange, next) =>
      route ? route.lead(exchange, next) : loaded.then((made) => made.lead(exchange, next));
  },
});

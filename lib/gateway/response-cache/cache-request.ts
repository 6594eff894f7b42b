import type { GatewayExchange } from '../filters/gateway-exchange.js';
import { HeaderList } from '../filters/header-list.js';
import { directivesOf, secondsOf } from './cache-control.js';
import { CachedResponse, isNotModified, valueOf } from './cached-response.js';
import type { PlainHeaders } from '../../common/http-cache-policy.js';

/** Why a request goes past the cache, in the words of RFC 9211, 2.2. */
export type Detour = 'bypass' | 'method' | 'request' | 'uri-miss' | 'vary-miss' | 'stale';

const PAST = ['range', 'if-match', 'if-unmodified-since', 'if-range'];

/** A request as the cache sees it, before the filters behind change it. */
export class CacheRequest {
  /**
   * What an answer is kept under: each part by itself, because parts written behind one another could be told apart
   * wrongly.
   */
  readonly key: string;
  readonly route: string;
  readonly method: string;
  /** Whether it carries what makes an answer someone's own. */
  readonly isPersonal: boolean;
  /** Whether its sender is known, or would be by its credentials (RFC 9111, 3.5). */
  readonly isAuthorized: boolean;
  private readonly sender: string;
  readonly headers: HeaderList;
  private readonly directives;

  constructor(exchange: GatewayExchange, heedsClients: boolean) {
    const { route, clientProto, publicHost, host, target } = exchange;
    this.key = JSON.stringify([
      route.id,
      route.to,
      clientProto,
      publicHost.toLowerCase(),
      host,
      target,
    ]);
    this.route = route.id;
    this.method = exchange.method;
    const { principal, raw } = exchange;
    const { authorization, cookie } = raw.headers;
    // What the door of its route has taken away made it someone's own all the same.
    this.isAuthorized = principal !== undefined || authorization !== undefined;
    this.isPersonal = this.isAuthorized || cookie !== undefined;
    this.sender = JSON.stringify([principal?.issuer, principal?.subject, authorization, cookie]);
    this.headers = new HeaderList([...exchange.headers.raw]);
    const pragma = this.headers.has('cache-control') ? [] : this.headers.getAll('pragma');
    this.directives = directivesOf(
      heedsClients ? [...this.headers.getAll('cache-control'), ...pragma] : [],
    );
  }

  /** Why it goes past the cache; undefined when it may be answered from there. */
  detour(hasBody: boolean): Detour | undefined {
    if (this.method !== 'GET' && this.method !== 'HEAD') return 'method';
    if (this.directives.has('no-store')) return 'request';
    // Parts of an answer, and what must meet the newest state, are the upstream's own affair.
    return hasBody || PAST.some((name) => this.headers.has(name)) ? 'bypass' : undefined;
  }

  /** Whether the client takes nothing that is kept, unless the upstream says that it is still so. */
  get wantsNew(): boolean {
    return this.directives.has('no-cache');
  }

  get onlyIfCached(): boolean {
    return this.directives.has('only-if-cached');
  }

  /** Whether the client takes an answer as it is kept (RFC 9111, 5.2.1). */
  takes(response: CachedResponse): boolean {
    if (this.wantsNew) return false;
    const { age, left } = response;
    if (age > (secondsOf(this.directives, 'max-age') ?? Infinity)) return false;
    if (left > 0) return left >= (secondsOf(this.directives, 'min-fresh') ?? 0);
    const stale = this.directives.get('max-stale');
    if (stale === undefined || response.parts.mustRevalidate) return false;
    return stale === '' || -left <= (secondsOf(this.directives, 'max-stale') ?? 0);
  }

  /** Whether the client has an answer already. */
  has({ parts, etag, lastModified }: CachedResponse): boolean {
    return isNotModified(this.headers, parts.status, etag, lastModified);
  }

  /** The values that an answer was chosen by, of the names that it says it varies by. */
  varied(names: readonly string[]): readonly (readonly [string, string])[] {
    return names.map((name) => [name, valueOf(this.headers, name)]);
  }

  /** Whom it may wait for: those with the same values of what the answers are known to vary by. */
  flightKey(responses: readonly CachedResponse[]): string {
    const names = new Set(responses.flatMap(({ parts }) => parts.varied.map(([name]) => name)));
    return JSON.stringify([this.key, this.sender, this.varied([...names].toSorted())]);
  }
}

/** Headers as the policy reads them. */
export function plain(headers: HeaderList): PlainHeaders {
  // Without a prototype, so that a header such as `__proto__` is a header and nothing else.
  const all = Object.create(null) as Record<string, string>;
  for (const [name] of headers.entries()) all[name.toLowerCase()] ??= valueOf(headers, name);
  return all;
}

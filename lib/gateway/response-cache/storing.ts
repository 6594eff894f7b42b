import { HeaderList, isFree } from '../filters/header-list.js';
import { type Directives, directivesOf, secondsOf } from './cache-control.js';
import type { Policies } from '../../common/http-cache-policy.js';
import { CachedResponse, valueOf } from './cached-response.js';
import { type CacheRequest, plain } from './cache-request.js';

/** How long answers are kept that do not say it themselves; in seconds. */
export interface Lifetimes {
  readonly ttl: number;
  readonly whileRevalidate: number;
  readonly ifError: number;
}

/** Statuses that are kept without a word of their own. */
const KEPT_BY_TTL = new Set([200, 203, 204, 300, 301, 308]);

/** An answer's head. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: HeaderList;
}

/** Decides which answers are kept, and for how long. */
export class Storing {
  constructor(
    private readonly policies: Policies,
    private readonly lifetimes: Lifetimes,
  ) {}

  /** The answer as it would be kept, without its body; undefined when it must not, or need not, be. */
  judge(request: CacheRequest, { status, headers }: AnswerHead): CachedResponse | undefined {
    const directives = directivesOf(headers.getAll('cache-control'));
    const names = variedNames(headers);
    // What sets a cookie is meant for one client.
    if (names === undefined || headers.has('set-cookie') || headers.has('content-range'))
      return undefined;
    const isShared = ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name));
    if (request.isAuthorized && !isShared) return undefined;
    const policy = this.policies(
      {},
      { status, headers: this.told(request, { status, headers }, directives) },
    );
    if (!policy.storable()) return undefined;
    const response = new CachedResponse({
      route: request.route,
      status,
      headers: new HeaderList(lastingOf(headers)),
      body: Buffer.alloc(0),
      varied: request.varied(names),
      policy,
      isShared,
      mustRevalidate: mustRevalidate(directives),
      whileRevalidate:
        secondsOf(directives, 'stale-while-revalidate') ?? this.lifetimes.whileRevalidate,
      ifError: secondsOf(directives, 'stale-if-error') ?? this.lifetimes.ifError,
    });
    return isWorthKeeping(response, directives.size > 0 || headers.has('expires'))
      ? response
      : undefined;
  }

  /** What was kept, with what the upstream said of it anew (RFC 9111, 4.3.4); undefined when it is another's. */
  refreshed(
    request: CacheRequest,
    known: CachedResponse,
    news: HeaderList,
  ): CachedResponse | undefined {
    const etag = news.get('etag');
    if (etag !== undefined && etag.replace(/^W\//, '') !== known.etag?.replace(/^W\//, ''))
      return undefined;
    const headers = new HeaderList([...known.parts.headers.raw]);
    const told = new HeaderList(lastingOf(news));
    for (const [name] of told.entries()) {
      if (/^content-(?!location|security)/i.test(name)) continue;
      headers.remove(name);
    }
    for (const [name, value] of told.entries())
      if (!/^content-(?!location|security)/i.test(name)) headers.add(name, value);
    // The age of what is told anew is counted anew.
    if (!told.has('age') && headers.has('age')) headers.remove('age');
    const judged = this.judge(request, { status: known.parts.status, headers });
    return judged && new CachedResponse({ ...judged.parts, body: known.parts.body });
  }

  /** The headers as the policy is to read them: one spelling, and our own lifetime where the answer names none. */
  private told(request: CacheRequest, { status, headers }: AnswerHead, directives: Directives) {
    const told: Record<string, string> = { ...plain(headers) };
    const own: string[] = [];
    for (const [name, value] of directives) {
      // These two say what happens to what is stale, which is decided here.
      if (name === 'must-revalidate' || name === 'proxy-revalidate') continue;
      own.push(value === '' ? name : `${name}=${value.replaceAll(/[,"]/g, '')}`);
    }
    const isSilent =
      directives.size === 0 && told['expires'] === undefined && told['pragma'] === undefined;
    if (isSilent && KEPT_BY_TTL.has(status) && !request.isPersonal && this.lifetimes.ttl > 0)
      own.push(`max-age=${this.lifetimes.ttl}`);
    if (own.length > 0) told['cache-control'] = own.join(', ');
    else delete told['cache-control'];
    return told;
  }
}

/** What is stale at once is of use where it may be given stale, or where the upstream can say that it is still so. */
function isWorthKeeping(response: CachedResponse, saysSo: boolean): boolean {
  if (response.left > 0) return true;
  const { hasValidator, mayServeWhileRevalidating, mayServeOnError } = response;
  return (hasValidator && saysSo) || mayServeWhileRevalidating || mayServeOnError;
}

/** `s-maxage` means `proxy-revalidate` (RFC 9111, 5.2.2.10), unless the upstream says itself what may be stale (RFC 5861). */
function mustRevalidate(directives: Directives): boolean {
  const has = (name: string) => directives.has(name);
  if (has('must-revalidate') || has('proxy-revalidate') || has('no-cache')) return true;
  return has('s-maxage') && !has('stale-while-revalidate') && !has('stale-if-error');
}

/** The names that an answer varies by, in small letters and in order; undefined when by more than headers. */
function variedNames(headers: HeaderList): readonly string[] | undefined {
  const names = valueOf(headers, 'vary')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  return names.includes('*') ? undefined : [...new Set(names)].toSorted();
}

/** What is kept of a head: all but what frames the message. */
function lastingOf(headers: HeaderList): string[] {
  return [...headers.entries()].filter(([name]) => isFree(name)).flat();
}

import type { Answer } from '../filters/exchange-ears.js';
import { HeaderList, isFree } from '../filters/header-list.js';
import type { CachePolicy } from '../../common/http-cache-policy.js';

/** What a response costs beside its body and its texts, about, in bytes. */
const OVERHEAD = 512;

/** What a cached response is made of. */
export interface CachedParts {
  /** The route that it was fetched for; another one may lead to other instances. */
  readonly route: string;
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer;
  /** The request's headers that it was chosen by, in small letters; values of a name joined. */
  readonly varied: readonly (readonly [name: string, value: string])[];
  readonly policy: CachePolicy;
  /** Whether it must not be given once it is stale, whatever else is said (RFC 9111, 5.2.2.2 and 5.2.2.8). */
  readonly mustRevalidate: boolean;
  /** Whether it may have to do with requests that carry `Authorization` (RFC 9111, 3.5). */
  readonly isShared: boolean;
  /** For how long behind its freshness it may be given while a new one is fetched, in seconds. */
  readonly whileRevalidate: number;
  /** For how long behind its freshness it may be given in place of an error, in seconds. */
  readonly ifError: number;
}

/** What of a request chooses among answers. */
interface AskedFor {
  readonly route: string;
  readonly headers: HeaderList;
  /** Whether its sender is known, or would be by its credentials. */
  readonly isAuthorized: boolean;
}

/** An answer that is kept. */
export class CachedResponse {
  readonly size: number;

  constructor(readonly parts: CachedParts) {
    const text = parts.headers.raw.reduce((sum, each) => sum + each.length, 0);
    const varied = parts.varied.reduce((sum, pair) => sum + pair[0].length + pair[1].length, 0);
    this.size = parts.body.length + text + varied + OVERHEAD;
  }

  get age(): number {
    return this.parts.policy.age();
  }

  /** For how long it stays fresh, in seconds; below 0 it is stale. */
  get left(): number {
    return this.parts.policy.maxAge() - this.age;
  }

  get etag(): string | undefined {
    return this.parts.headers.get('etag');
  }

  get lastModified(): string | undefined {
    return this.parts.headers.get('last-modified');
  }

  /** Whether a new one can be asked for by its validators. */
  get hasValidator(): boolean {
    return this.etag !== undefined || this.lastModified !== undefined;
  }

  get mayServeWhileRevalidating(): boolean {
    const { mustRevalidate, whileRevalidate } = this.parts;
    return !mustRevalidate && this.left + whileRevalidate > 0;
  }

  get mayServeOnError(): boolean {
    const { mustRevalidate, ifError } = this.parts;
    return !mustRevalidate && this.left + ifError > 0;
  }

  /** Whether it answers a request with such headers (RFC 9111, 4.1). */
  isFor({ route, headers, isAuthorized }: AskedFor): boolean {
    const { parts } = this;
    if (parts.route !== route || (!parts.isShared && isAuthorized)) return false;
    return parts.varied.every(([name, value]) => valueOf(headers, name) === value);
  }

  /** The answer for a client; without its body where the client has it (RFC 9110, 15.4.5). */
  answer(isNotModified: boolean, cacheStatus: string | undefined): Answer {
    const headers: Record<string, string> = {};
    for (const [name, value] of this.parts.headers.entries()) {
      const lower = name.toLowerCase();
      if (!isFree(name) || lower === 'age') continue;
      if (isNotModified && lower.startsWith('content-') && lower !== 'content-location') continue;
      headers[lower] = headers[lower] === undefined ? value : `${headers[lower]}, ${value}`;
    }
    headers['age'] = String(Math.max(0, Math.floor(this.age)));
    if (cacheStatus !== undefined)
      headers['cache-status'] = [headers['cache-status'], cacheStatus].filter(Boolean).join(', ');
    if (isNotModified) return { status: 304, headers };
    const { status, body } = this.parts;
    return body.length === 0 ? { status, headers } : { status, headers, body };
  }
}

/** Every line of a header as one value. */
export function valueOf(headers: HeaderList, name: string): string {
  return headers
    .getAll(name)
    .map((value) => value.trim())
    .join(', ');
}

/** Whether the client has what would be sent: `If-None-Match` first, and only without it the date (RFC 9110, 13.2.2). */
export function isNotModified(
  client: HeaderList,
  status: number,
  etag: string | undefined,
  lastModified: string | undefined,
): boolean {
  if (status !== 200) return false;
  if (client.has('if-none-match')) {
    const asked = valueOf(client, 'if-none-match');
    if (etag === undefined) return asked === '*';
    const weak = etag.replace(/^W\//, '');
    return (
      asked === '*' ||
      (asked.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => tag.replace(/^W\//, '') === weak)
    );
  }
  const since = Date.parse(client.get('if-modified-since') ?? '');
  // Not a number where there is no such date, and then it is not modified by no comparison.
  return Date.parse(lastModified ?? '') <= since;
}

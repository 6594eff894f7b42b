import type { Detour } from './cache-request.js';

/** What `Cache-Status` says of a request (RFC 9211). */
export interface CacheStatus {
  /** Whether it was answered from the cache, and for how many seconds the answer is fresh; below 0 it is stale. */
  readonly hit?: number;
  /** Why it went on to the upstream. */
  readonly forwarded?: Detour;
  /** What the upstream answered, where the client gets another status. */
  readonly upstreamStatus?: number;
  readonly stored?: boolean;
  /** Whether it waited for another request that asked for the same. */
  readonly collapsed?: boolean;
}

/** Writes a `Cache-Status`. */
export function formatCacheStatus(status: CacheStatus): string {
  const { hit, forwarded, upstreamStatus, stored, collapsed } = status;
  let text = 'rookery';
  if (hit !== undefined) text += `; hit; ttl=${Math.floor(hit)}`;
  if (forwarded !== undefined) text += `; fwd=${forwarded}`;
  if (upstreamStatus !== undefined) text += `; fwd-status=${upstreamStatus}`;
  if (stored) text += '; stored';
  if (collapsed) text += '; collapsed';
  return text;
}

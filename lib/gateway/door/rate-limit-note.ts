/** What a client is told of the limit that leaves it least. */
export interface RateLimitNote {
  readonly name: string;
  readonly limit: number;
  /** The period, in seconds. */
  readonly window: number;
  readonly remaining: number;
  /** Until all units are there again, in seconds. */
  readonly reset: number;
}

/**
 * The headers of a limit: the three that clients know (draft-ietf-httpapi-ratelimit-headers, versions up to 06), and the
 * policy itself.
 */
export function rateLimitHeaders({
  name,
  limit,
  window,
  remaining,
  reset,
}: RateLimitNote): string[] {
  return [
    'ratelimit-policy',
    `"${name}";q=${limit};w=${window}`,
    'ratelimit-limit',
    String(limit),
    'ratelimit-remaining',
    String(remaining),
    'ratelimit-reset',
    String(reset),
  ];
}

import type { Clock } from './clock.js';

/** The headers of a message as the policy reads them: names in small letters, several lines of a name as a list. */
export type PlainHeaders = Readonly<Record<string, string>>;

/** A request as the policy compares it with the one that was answered. */
interface CacheRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: PlainHeaders;
}

/** Whether a shared cache may keep an answer, and for how long it is fresh (RFC 9111, 3 and 4.2). */
export interface CachePolicy {
  storable(): boolean;
  /** How long it is fresh from its making, in seconds. */
  maxAge(): number;
  /** How long ago it was made, in seconds. */
  age(): number;
  /** Whether a request may be answered from it without asking the server (RFC 9111, 4). */
  satisfiesWithoutRevalidation(request: CacheRequest): boolean;
  /** The headers by which the server is asked whether it still holds (RFC 9110, 13). */
  revalidationHeaders(
    request: CacheRequest,
  ): Readonly<Record<string, string | string[] | undefined>>;
  /** What the server's answer to that question makes of it (RFC 9111, 4.3.3 and 4.3.4). */
  revalidatedPolicy(
    request: CacheRequest,
    response: { readonly status: number; readonly headers: Record<string, string> },
  ): { readonly policy: CachePolicy; readonly modified: boolean };
}

/** Judges the answer to a GET request. */
export type Policies = (
  request: PlainHeaders,
  response: { readonly status: number; readonly headers: PlainHeaders },
) => CachePolicy;

/** Loads `http-cache-semantics`, which nobody pays for who caches nothing. */
export async function loadPolicies(clock: Clock): Promise<Policies> {
  const { default: Policy } = await import('http-cache-semantics');
  // Ages are lengths of time, which the wall clock of a machine does not measure when it is set anew.
  const offset = clock.wallTime() - clock.now();
  class ClockPolicy extends Policy {
    now(): number {
      return clock.now() + offset;
    }
  }
  return (request, response) =>
    new ClockPolicy(
      { method: 'GET', url: '', headers: { ...request } },
      { status: response.status, headers: { ...response.headers } },
      // An age that the server did not name is none: a guess may show people what was long changed.
      { shared: true, cacheHeuristic: 0, immutableMinTimeToLive: 0 },
    );
}

import type { Clock } from '../../common/clock.js';

/** The headers of a message as the policy reads them: names in small letters, several lines of a name as a list. */
export type PlainHeaders = Readonly<Record<string, string>>;

/** Whether a shared cache may keep an answer, and for how long it is fresh (RFC 9111, 3 and 4.2). */
export interface CachePolicy {
  storable(): boolean;
  /** How long it is fresh from its making, in seconds. */
  maxAge(): number;
  /** How long ago it was made, in seconds. */
  age(): number;
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

import type { Endpoint } from './endpoint.js';

/** What of a request a strategy goes by: the value of a header or of a cookie, both named in small letters, or the path. */
export type CallKey = { readonly header: string } | { readonly cookie: string } | 'path';

/** Chooses one of the endpoints that can take a call. */
export abstract class LoadBalancingStrategy {
  /** What of a request it goes by; undefined, which costs nothing, for most. */
  readonly key: CallKey | undefined = undefined;

  /**
   * Synchronous and without allocation: it runs for every request. The list has at least two endpoints.
   *
   * @param value what the request has under `key`
   */
  abstract pick<E extends Endpoint>(candidates: readonly E[], value?: string): E;

  /** What it compares endpoints by, less being better; for explanations. */
  score(_endpoint: Endpoint): number | undefined {
    return undefined;
  }

  /** The cookie that leads the client back to an endpoint, if it goes by one. */
  cookieFor(_endpoint: Endpoint): string | undefined {
    return undefined;
  }
}

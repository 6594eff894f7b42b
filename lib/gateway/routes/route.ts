import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { Upstream } from '../../upstream/upstream.js';

/** A route, compiled: everything a request needs to know, found out beforehand. */
export interface Route {
  readonly id: string;
  /** The public path as it was written; what logs and metrics name a request by. */
  readonly path: string;
  /** In capitals; empty for all. */
  readonly methods: readonly string[];
  /** In small letters; empty for all. */
  readonly hosts: readonly string[];
  /** The service's name, or the origin. */
  readonly to: string;
  readonly order: number;
  readonly source: 'explicit' | 'discovered';
  readonly upstream: Upstream;
  /** How long the answer's head may take, in ms; 0 is for ever. */
  readonly timeout: number;
  /** Whether the upstream sees the host that the client asked for. */
  readonly keepHost: boolean;
  /** Which endpoints have it, while a service is being rolled out; undefined when all have. */
  readonly accepts: ((endpoint: Endpoint) => boolean) | undefined;
  /** Whether a path of the upstream leads to a handler that is not public; undefined when none does. */
  readonly hides: ((path: string) => boolean) | undefined;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

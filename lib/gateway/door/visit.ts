import type { Socket } from 'node:net';
import type { RateLimitNote } from './rate-limit-note.js';
import type { Principal } from '../../security/principal.js';

/** A request at a route's door, and what the door leaves on it. */
export interface Visit {
  readonly method: string;
  /** The canonical public path. */
  readonly path: string;
  readonly rawHeaders: readonly string[];
  /** The client's address, behind trusted proxies. */
  readonly clientAddress: string;
  readonly socket: Socket;
  /** The header lines for the upstream; a step may take some away, and add its own. */
  lines: string;
  /** Who sent it, once that is known. */
  principal: Principal | undefined;
  /** What is told to the client of the limit that leaves it least; undefined where nothing is counted. */
  limits: RateLimitNote | undefined;
}

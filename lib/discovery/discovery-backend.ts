import type { Clock } from '../common/clock.js';
import type { InstanceSource } from './instance-source.js';
import type { ServiceRegistry } from './service-registry.js';

/** A registry and an instance source over one system. */
export interface DiscoveryBackend {
  readonly name: string;
  /** Whether other machines read it; then a loopback address must not be written to it. */
  readonly remote: boolean;
  /** Where it is, so that the address can be found from which this machine reaches it. */
  readonly peer?: { readonly host: string; readonly port: number };
  /** Absent where instances are written by someone else, such as a static list. */
  readonly registry?: ServiceRegistry;
  readonly source: InstanceSource;
  /** How long, in ms, to keep what it does not show after a break, where that is known better than by the TTL. */
  readonly returnHold?: number;
  /** Lets go of connections and files; called once, after every lease was revoked and every stream ended. */
  close?(): Promise<void>;
}

/** What a backend is given when it is made. */
export interface BackendContext {
  readonly clock: Clock;
  /** How long a registration outlives its last heartbeat, in ms. */
  readonly ttl: number;
  /** How often to renew, in ms. */
  readonly heartbeat: number;
  /** Keeps systems that share a registry apart. */
  readonly namespace: string;
  /** Tells a person, once, about something only they can mend. */
  readonly warn: (message: string) => void;
}

/** Makes a backend; `consul({ url })` and its like return one of these. */
export type BackendFactory = (context: BackendContext) => DiscoveryBackend;

/** Under this token the room's providers find the backend that was chosen. */
export const DISCOVERY_BACKEND = Symbol('DISCOVERY_BACKEND');

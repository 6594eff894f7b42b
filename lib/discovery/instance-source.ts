import type { ServiceInstance } from './service-instance.js';

/**
 * Where instances are read.
 *
 * Both streams yield whole snapshots, the first at once. A stream that throws is opened again by the room, after a wait.
 */
export abstract class InstanceSource {
  /** All instances of a service, whatever their status; an unknown service is an empty list. */
  abstract instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]>;

  /** The names of all services. */
  abstract services(signal: AbortSignal): AsyncIterable<readonly string[]>;
}

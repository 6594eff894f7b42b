import type { InstanceStatus, ServiceInstance } from './service-instance.js';

/** A registration that must be kept alive. */
export interface Lease {
  /** How often to renew, in ms; absent when the lease lives by itself, as one of this process's own memory does. */
  readonly renewEvery?: number;
  /** Says "still here" and how we are. `lost` means that the registry has forgotten us; throwing, that it is away. */
  renew(status: InstanceStatus, signal: AbortSignal): Promise<'ok' | 'lost'>;
  /** Resolves when the registry is known to have forgotten us. */
  readonly lost?: Promise<void>;
  /** Takes the registration back. */
  revoke(signal: AbortSignal): Promise<void>;
}

/** Where instances are written. The room keeps leases alive; a registry holds no timers and no retries. */
export abstract class ServiceRegistry {
  /** Registers once; an instance of the same id is replaced. */
  abstract register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease>;
}

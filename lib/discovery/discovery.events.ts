import type { ServiceInstance } from './service-instance.js';
import type { ServiceView } from './service-view.js';

/** Something happened to this instance's registration. */
export interface RegistrationChange {
  readonly instance: ServiceInstance;
}

/** The instances of a service are others than before. */
export interface InstancesChange {
  readonly view: ServiceView;
}

/** An instance in the registry is not called. */
export interface InstanceRefusal {
  readonly instance: ServiceInstance;
  readonly reason: string;
}

/** What an application needs is known. */
export interface ServicesKnown {
  readonly services: readonly string[];
}

/** What is known of a service is old, or new again. */
export interface ViewAge {
  readonly service: string;
  /** Whether it is only what was known before. */
  readonly stale: boolean;
  /** Since when it is not confirmed any more, in ms since 1970; absent when it is new. */
  readonly since?: number;
}

/** The registry answers again. */
export interface RegistryReturn {
  readonly backend: string;
}

/** The registry does not answer. */
export interface RegistryOutage {
  readonly backend: string;
  readonly reason: string;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** This instance is in the registry. */
    'instance.registered': RegistrationChange;
    /** The registry has forgotten this instance; it registers again. */
    'lease.lost': RegistrationChange;
    /** This instance has left the registry. */
    'instance.deregistered': RegistrationChange;
    /** The instances of a service that is watched are others than before. */
    'instances.changed': InstancesChange;
    /** The registry has answered once about every service that this application needs. */
    'services.known': ServicesKnown;
    /** An instance stands in the registry and is not called: its address or its signature is not allowed. */
    'instance.refused': InstanceRefusal;
    /** What is known of a service that is watched is not confirmed by the registry any more, or is again. */
    'view.aged': ViewAge;
    /** The registry answers again, or no longer. The last known instances stay in use meanwhile. */
    'registry.reachable': RegistryReturn;
    'registry.unreachable': RegistryOutage;
  }
}

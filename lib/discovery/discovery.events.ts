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
    /** The registry answers again, or no longer. The last known instances stay in use meanwhile. */
    'registry.reachable': RegistryReturn;
    'registry.unreachable': RegistryOutage;
  }
}

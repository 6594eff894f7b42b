import type { ServiceInstance } from './service-instance.js';
import type { ServiceView } from './service-view.js';

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** This instance is in the registry. */
    'instance.registered': { readonly instance: ServiceInstance };
    /** The registry has forgotten this instance; it registers again. */
    'lease.lost': { readonly instance: ServiceInstance };
    /** This instance has left the registry. */
    'instance.deregistered': { readonly instance: ServiceInstance };
    /** The instances of a service that is watched are others than before. */
    'instances.changed': { readonly view: ServiceView };
    /** The registry answers again, or no longer. The last known instances stay in use meanwhile. */
    'registry.reachable': { readonly backend: string };
    'registry.unreachable': { readonly backend: string; readonly reason: string };
  }
}

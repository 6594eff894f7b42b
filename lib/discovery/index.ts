export type { BuiltInBackend } from './backends/built-in.js';
export { consul, type ConsulCheckOptions, type ConsulOptions } from './backends/consul.backend.js';
export { embedded, type EmbeddedOptions } from './backends/embedded.backend.js';
export { composite } from './backends/composite.backend.js';
export { dns, type DnsOptions } from './backends/dns.backend.js';
export { eureka, type EurekaOptions } from './backends/eureka.backend.js';
export { kubernetes, type KubernetesOptions } from './backends/kubernetes.backend.js';
export { etcd, type EtcdOptions } from './backends/etcd.backend.js';
export { memory, MemoryHub } from './backends/memory.backend.js';
export { redis, type RedisOptions } from './backends/redis.backend.js';
export type { RegistryTlsOptions } from './backends/registry-tls.js';
export {
  type StaticInstance,
  staticInstances,
  type StaticInstances,
} from './backends/static.backend.js';
export type { BackendContext, BackendFactory, DiscoveryBackend } from './discovery-backend.js';
export { DiscoveryClient } from './discovery-client.js';
export {
  BackendRefusedError,
  BackendUnavailableError,
  RetryLaterError,
  ServiceNameError,
} from './discovery.errors.js';
export type {
  InstancesChange,
  RegistrationChange,
  RegistryOutage,
  RegistryReturn,
} from './discovery.events.js';
export { DiscoveryModule, DiscoveryModule as ServiceDiscoveryModule } from './discovery.module.js';
export type { DiscoveryOptions, DrainOptions, HeartbeatOptions } from './discovery.options.js';
export { Drain } from './drain.js';
export { enableGracefulShutdown, type GracefulShutdownOptions } from './graceful-shutdown.js';
export { InstanceSource } from './instance-source.js';
export { type Announcement, LocalInstance } from './local-instance.js';
export { GatewayRoute, type GatewayRouteOptions } from './manifest/gateway-route.decorator.js';
export type { RoutePredicateArgs, RoutePredicateData } from './manifest/route-predicates.js';
export { ManifestError, PathSyntaxError } from './manifest/manifest.errors.js';
export { ManifestPublisher } from './manifest/manifest-publisher.js';
export { Registrar } from './registrar.js';
export { type InstanceStatus, type ServiceInstance, takesTraffic } from './service-instance.js';
export { type Lease, ServiceRegistry } from './service-registry.js';
export type { ServiceView } from './service-view.js';

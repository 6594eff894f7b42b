export { BaseService } from './base-service.js';
export {
  ClientModule,
  type ClientModuleOptions,
  type ClientOptions,
  type Fallback,
  Remote,
  remote,
  type RemoteCallOptions,
  RemoteException,
  ServiceClient,
  ServiceContract,
} from './client/index.js';
export {
  Clock,
  type Duration,
  EventHub,
  InvalidOptionsError,
  messageOf,
  RequestContext,
  RookeryError,
  type RookeryEvents,
  ServiceIdentity,
} from './common/index.js';
export {
  ConfigClient,
  ConfigClientModule,
  type ConfigClientOptions,
  ConfigSection,
  configSection,
  ConfigValue,
  FeatureFlag,
  FeatureFlags,
  OnConfigChange,
} from './config-client/index.js';
export { DiscoveredConfigServerModule } from './discovered-config-server.module.js';
export {
  consul,
  DiscoveryClient,
  DiscoveryModule,
  type DiscoveryOptions,
  embedded,
  enableGracefulShutdown,
  GatewayRoute,
  type GatewayRouteOptions,
  LocalInstance,
  memory,
  MemoryHub,
  Registrar,
  ServiceDiscoveryModule,
  type ServiceInstance,
  type ServiceView,
  staticInstances,
} from './discovery/index.js';
export {
  GatewayModule,
  type GatewayOptions,
  GatewayRoutes,
  type RouteDefinition,
} from './gateway/index.js';
export {
  Availability,
  HealthAggregator,
  HealthContributor,
  HealthModule,
  type HealthOptions,
  type HealthReport,
  terminusIndicator,
} from './health/index.js';
export {
  CallSignal,
  Circuits,
  type CircuitView,
  type PolicyOptions,
  Resilience,
  ResilienceModule,
  Resilient,
} from './resilience/index.js';
export { ManagementModule, type ManagementOptions } from './management/index.js';
export { RookeryModule } from './rookery.module.js';
export type { RookeryOptions } from './rookery.options.js';
export { type StartOptions, startService } from './start-service.js';
export { RookeryLogger, TelemetryModule, type TelemetryOptions } from './telemetry/index.js';
export {
  CircuitOpenError,
  NoEndpointError,
  type UpstreamOptions,
  UpstreamError,
  UpstreamModule,
  Upstreams,
  UpstreamTimeoutError,
} from './upstream/index.js';

export { ChangeCheck } from './change-check.js';
export { ConfigClient, ConfigClient as RemoteConfig } from './config-client.js';
export {
  ConfigAnswerError,
  ConfigFileError,
  ConfigServerNotFoundError,
  ConfigUnreachableError,
  FeatureDisabledError,
  InvalidConfigError,
  MissingConfigError,
  SnapshotError,
} from './config-client.errors.js';
export type { ConfigChange, ConfigReversal } from './config-client.events.js';
export { ConfigClientModule } from './config-client.module.js';
export type { ConfigClientOptions, RollbackOptions } from './config-client.options.js';
export type { ConfigListener } from './config-listeners.js';
export {
  ConfigSection,
  configSection,
  type SchemaSection,
  type SectionType,
  type SectionValue,
} from './config-section.js';
export { ConfigServerLocator } from './config-server-locator.js';
export {
  type ConfigRequest,
  type ConfigSnapshot,
  ConfigSource,
  type ConfigSourceFactory,
  type ConfigSourceTools,
} from './config-source.js';
export type { ConfigCheck, StandardSchema } from './config-validation.js';
export { ConfigValue, OnConfigChange } from './config-value.decorator.js';
export type { ExplainedLayer, Explanation } from './environment.js';
export { FeatureFlag } from './feature-flag.guard.js';
export { FeatureFlags } from './feature-flags.js';
export { Refreshable, refreshable, type RefreshableOptions } from './refreshable.js';
export type { PropertySource, PropertyValue } from '../common/properties/property-source.js';
export type { PropertyTree } from '../common/properties/property-tree.js';
export { configServer, type ConfigServerOptions } from './sources/config-server.factory.js';
export { consulKv, type ConsulKvOptions } from './sources/consul-kv.source.js';
export { configFile, type ConfigFileOptions } from './sources/file.source.js';
export { MemorySource } from './sources/memory.source.js';

export { ConfigClient } from './config-client.js';
export {
  ConfigAnswerError,
  ConfigUnreachableError,
  InvalidConfigError,
  MissingConfigError,
} from './config-client.errors.js';
export type { ConfigChange } from './config-client.events.js';
export { ConfigClientModule } from './config-client.module.js';
export type { ConfigClientOptions } from './config-client.options.js';
export { type ConfigRequest, type ConfigSnapshot, ConfigSource } from './config-source.js';
export type { ConfigCheck, StandardSchema } from './config-validation.js';
export { ConfigValue, OnConfigChange } from './config-value.decorator.js';
export type { ExplainedLayer, Explanation } from './environment.js';
export type { PropertySource, PropertyValue } from '../common/properties/property-source.js';
export type { PropertyTree } from '../common/properties/property-tree.js';
export { MemorySource } from './sources/memory.source.js';

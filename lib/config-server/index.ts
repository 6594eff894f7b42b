export {
  type ConfigResource,
  ConfigRepository,
  type RepositorySnapshot,
  type ResourceQuery,
  type Staleness,
} from './config-repository.js';
export {
  ConfigAccessError,
  ConfigBodyError,
  ConfigFileError,
  ConfigNotFoundError,
  ConfigServerStoppingError,
  ConfigTokenError,
  InvalidConfigRequestError,
  NoSuchLabelError,
  RepositoryError,
} from './config-server.errors.js';
export type { ConfigPublished, RepositoryFailed } from './config-server.events.js';
export { ConfigServerModule } from './config-server.module.js';
export type { ConfigServerOptions } from './config-server.options.js';
export { CompositeRepository, compositeRepository } from './repositories/composite.repository.js';
export {
  ConsulKvRepository,
  consulKvRepository,
  type ConsulKvRepositoryOptions,
} from './repositories/consul-kv.repository.js';
export {
  FileRepository,
  fileRepository,
  type FileRepositoryOptions,
} from './repositories/file.repository.js';
export type { GitRepositoryOptions } from './repositories/git-options.js';
export { GitRepository, gitRepository } from './repositories/git.repository.js';
export { MemoryRepository } from './repositories/memory.repository.js';
export {
  RedisRepository,
  redisRepository,
  type RedisRepositoryOptions,
} from './repositories/redis.repository.js';

export { ConfigRepository, type RepositorySnapshot } from './config-repository.js';
export {
  ConfigFileError,
  ConfigServerStoppingError,
  ConfigTokenError,
  InvalidConfigRequestError,
  RepositoryError,
} from './config-server.errors.js';
export type { ConfigPublished, RepositoryFailed } from './config-server.events.js';
export { ConfigServerModule } from './config-server.module.js';
export type { ConfigServerOptions } from './config-server.options.js';
export {
  FileRepository,
  fileRepository,
  type FileRepositoryOptions,
} from './repositories/file.repository.js';
export { MemoryRepository } from './repositories/memory.repository.js';

export type { BatchOptions } from './calls/batch.js';
export {
  type CalledRoute,
  InvalidAnswerError,
  NotInBatchError,
  type ProblemDetails,
  RemoteException,
  UnreadableAnswerError,
} from './client.errors.js';
export { ClientModule } from './client.module.js';
export type { AnswerCheck, ClientCacheOptions, ClientModuleOptions } from './client.options.js';
export type { CallOptions, ClientOptions } from './client-request.js';
export type { ContractFeature } from './contract/contract-feature.js';
export type {
  ContractBatch,
  ContractBatches,
  ContractFeatureOptions,
  Fallback,
} from './contract/contract-types.js';
export {
  NotRemoteError,
  Remote,
  remote,
  type RemoteCallOptions,
  type RemoteOptions,
} from './contract/remote.js';
export {
  type ContractOptions,
  ServiceContract,
  type ContractVersioning,
} from './contract/service-contract.decorator.js';
export { ServiceClient } from './service-client.js';

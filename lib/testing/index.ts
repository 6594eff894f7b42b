export {
  type ContractRunner,
  describeDiscoveryBackend,
  type DiscoveryContractOptions,
} from './discovery-backend.contract.js';
export { FakeClock } from './fake-clock.js';
export {
  type Fault,
  FaultyUpstream,
  faultyUpstream,
  type FaultyUpstreamOptions,
} from './faulty-upstream.js';
export { mockClient, NotMockedError } from './mock-client.js';
export {
  type ClusterService,
  type ClusterServices,
  createTestCluster,
  TestCluster,
} from './test-cluster.js';
export {
  type ContractExamples,
  type ContractReport,
  ContractViolationError,
  verifyContract,
} from './verify-contract.js';

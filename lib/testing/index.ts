export {
  type ContractRunner,
  describeDiscoveryBackend,
  type DiscoveryContractOptions,
} from './discovery-backend.contract.js';
export { FakeClock } from './fake-clock.js';

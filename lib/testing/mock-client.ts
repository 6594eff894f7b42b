import { describeContract } from '../client/contract/contract-description.js';
import type { ContractStub } from '../client/contract/contract-types.js';
import { RookeryError } from '../common/errors.js';
import type { Type } from '../common/metadata-explorer.js';

/** A test called a method of a contract that it did not say anything about. */
export class NotMockedError extends RookeryError {
  constructor(label: string) {
    super(`${label} was called, but mockClient was not told what it does.`, {
      code: 'ERR_NOT_MOCKED',
      status: 500,
    });
  }
}

/**
 * A client of a contract that does what a test says, without any network; what it does not say rejects with
 * `NotMockedError`.
 *
 * @throws InvalidOptionsError for a class that is no contract
 * @example
 * const inventory = mockClient(InventoryContract, { find: async (sku) => ({ sku, available: 7 }) });
 * builder.overrideProvider(InventoryContract).useValue(inventory);
 */
export function mockClient<C extends object>(contract: Type<C>, stub: ContractStub<C> = {}): C {
  const { routes } = describeContract(contract);
  const client = Object.create(contract.prototype) as C;
  const missing = routes.map(({ name, label }) => [
    name,
    () => Promise.reject(new NotMockedError(label)),
  ]);
  return Object.assign(client, Object.fromEntries(missing), stub);
}

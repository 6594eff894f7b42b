import type { Type } from '../../common/metadata-explorer.js';

// oxlint-disable-next-line typescript/no-explicit-any -- only `any` is every parameter list
type Method = (...parameters: any[]) => unknown;

/** The names of a contract's methods. */
type MethodsOf<C> = { [K in keyof C]-?: C[K] extends Method ? K : never }[keyof C];

/**
 * What some methods of a contract give when their service fails: each gets the failure, and then what the call got.
 *
 * @example
 * @Injectable()
 * class InventoryFallback implements Fallback<InventoryContract> {
 *   find(cause: Error, sku: string) { return { sku, available: 0 }; }
 * }
 */
export type Fallback<C> = {
  [K in MethodsOf<C>]?: C[K] extends (...parameters: infer P) => infer R
    ? (cause: Error, ...parameters: P) => R | Awaited<R>
    : never;
};

/** How one method of a contract with one parameter is asked for many at once. */
export interface ContractBatch<C, K, V> {
  /** Brings the answers for several keys, by another method of the contract. */
  load(client: C, keys: readonly K[]): Promise<readonly V[]>;
  /** Which key an answer belongs to; left out, answers come in the order of the keys. */
  key?(answer: V): K;
  /** The most keys in one question. @default 100 */
  readonly max?: number;
}

/** The batches of a contract, by the method that is asked one by one. */
export type ContractBatches<C> = {
  [K in MethodsOf<C>]?: C[K] extends (key: infer P, ...rest: never[]) => infer R
    ? ContractBatch<C, P, Awaited<R>>
    : never;
};

/** A contract, with what differs for this application. */
export interface ContractFeatureOptions<C extends object> {
  readonly contract: Type<C>;
  /** A class whose methods answer when the service fails; it may have dependencies of its own. */
  readonly fallback?: new (...dependencies: never[]) => Fallback<C>;
  /** Methods that are asked in loops, and the method that brings many at once. */
  readonly batch?: ContractBatches<C>;
}

/** What some methods of a contract do, in tests. */
export type ContractStub<C> = { [K in MethodsOf<C>]?: C[K] };

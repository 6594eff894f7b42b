import type { RequestContext } from '../../common/request-context.js';
import { NotInBatchError } from '../client.errors.js';

/** How many single questions become one. */
export interface BatchOptions<K, V> {
  /** Brings the values of several keys at once: in the order of the keys, or in any order when `key` is given. */
  readonly load: (keys: readonly K[]) => Promise<readonly V[]>;
  /** The key of a value, when values come in any order; a key without a value throws `NotInBatchError`. */
  readonly key?: (value: V) => K;
  /** The most keys in one question; more become several. @default 100 */
  readonly max?: number;
}

interface Waiting<K, V> {
  readonly key: K;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers the questions that are asked in one go, as in a loop or `Promise.all`, and asks them together; equal keys are
 * asked once. What is asked on behalf of different requests is never mixed, because their headers differ.
 */
export class Batch<K, V> {
  private readonly gathering = new Map<object, Map<K, Waiting<K, V>[]>>();

  constructor(
    private readonly options: BatchOptions<K, V>,
    private readonly context: RequestContext,
  ) {}

  /** The value of one key. */
  one(key: K): Promise<V> {
    const owner = this.context.current ?? this;
    return new Promise((resolve, reject) => {
      let keys = this.gathering.get(owner);
      if (keys === undefined) {
        keys = new Map<K, Waiting<K, V>[]>();
        this.gathering.set(owner, keys);
        // Behind everything that is already resolved, so that what a chain of promises asks comes along.
        setImmediate(() => this.ask(owner));
      }
      const waiting = { key, resolve, reject };
      const same = keys.get(key);
      if (same) same.push(waiting);
      else keys.set(key, [waiting]);
    });
  }

  private ask(owner: object): void {
    const keys = [...(this.gathering.get(owner)?.values() ?? [])];
    this.gathering.delete(owner);
    const { max = 100 } = this.options;
    for (let from = 0; from < keys.length; from += max) {
      void this.load(keys.slice(from, from + max));
    }
  }

  private async load(asked: readonly Waiting<K, V>[][]): Promise<void> {
    const keys = asked.map(([first]) => (first as Waiting<K, V>).key);
    try {
      const values = await this.options.load(keys);
      const find = this.finder(keys, values);
      for (const each of asked) answer(each, find);
    } catch (error) {
      for (const { reject } of asked.flat()) reject(error);
    }
  }

  /** How a key's value is found among those that came. */
  private finder(keys: readonly K[], values: readonly V[]): (key: K) => { value: V } | undefined {
    const { key: keyOf } = this.options;
    if (!keyOf && values.length !== keys.length) {
      throw new TypeError(
        `A batch of ${keys.length} keys brought ${values.length} values. Bring one for each in the same order, or say which is whose by "key".`,
      );
    }
    const entries = values.map((value, n) => [keyOf ? keyOf(value) : keys[n], { value }] as const);
    const found = new Map(entries as [K, { value: V }][]);
    return (key) => found.get(key);
  }
}

function answer<K, V>(
  waiting: readonly Waiting<K, V>[],
  find: (key: K) => { value: V } | undefined,
): void {
  for (const { key, resolve, reject } of waiting) {
    const found = find(key);
    if (found) resolve(found.value);
    else reject(new NotInBatchError(key));
  }
}

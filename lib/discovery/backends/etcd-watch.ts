import type { ServiceInstance } from '../service-instance.js';
import { decode, type EtcdCalls } from './etcd-calls.js';
import { readInstance } from './instance-json.js';
import { type Fields, object, parse } from './json-fields.js';
import { SharedStream } from './shared-stream.js';

export interface EtcdWatchOptions {
  /** For what is answered at once. */
  readonly calls: EtcdCalls;
  /** For what waits. */
  readonly parked: EtcdCalls;
  /** What all keys of this namespace begin with. */
  readonly prefix: string;
  /** How many services are watched by themselves; more of them share one watch of the whole namespace. */
  readonly slots: number;
}

/** Instances by their key. */
type Table = ReadonlyMap<string, ServiceInstance>;

/** How long a watch is trusted that says nothing, in ms: a server that hangs keeps its connections. */
const QUIET = 30_000;

/** Streams by a read of all keys and a watch of what happens after it. */
export class EtcdWatch {
  private taken = 0;
  private readonly whole: SharedStream<Table>;

  constructor(private readonly options: EtcdWatchOptions) {
    this.whole = new SharedStream((signal) => this.follow(options.prefix, signal));
  }

  async *instances(
    service: string,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ServiceInstance[]> {
    const own = this.taken < this.options.slots;
    const prefix = `${this.options.prefix}${service}/`;
    if (own) this.taken += 1;
    try {
      const tables = own ? this.follow(prefix, signal) : this.whole.read(signal);
      for await (const table of tables) {
        yield [...table.values()].filter((instance) => instance.service === service);
      }
    } finally {
      if (own) this.taken -= 1;
    }
  }

  async *services(signal: AbortSignal): AsyncGenerator<readonly string[]> {
    for await (const table of this.whole.read(signal)) {
      yield [...new Set([...table.values()].map(({ service }) => service))].toSorted();
    }
  }

  /** All instances under a prefix, whole again with every change. */
  private async *follow(prefix: string, signal: AbortSignal): AsyncGenerator<Table> {
    try {
      while (!signal.aborted) {
        const { entries, revision } = await this.options.calls.range(prefix, signal);
        const table = new Map<string, ServiceInstance>();
        for (const entry of entries) keep(table, object(entry));
        yield new Map(table);
        yield* this.changes(table, { prefix, from: revision + 1n }, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** What becomes of a table; ends when its history was compacted away, and everything must be read anew. */
  private async *changes(
    table: Map<string, ServiceInstance>,
    { prefix, from }: { readonly prefix: string; readonly from: bigint },
    signal: AbortSignal,
  ): AsyncGenerator<Table> {
    for (let next = from; !signal.aborted;) {
      const watch = this.options.parked.watch(prefix, { from: next, limit: QUIET }, signal);
      for await (const message of watch) {
        if (message['canceled'] === true || message['compact_revision'] !== undefined) return;
        const at = revisionOf(message);
        if (apply(table, message)) yield new Map(table);
        if (at !== undefined && at >= next) next = at + 1n;
      }
    }
  }
}

function revisionOf(message: Fields): bigint | undefined {
  const { header } = message;
  const revision = header === undefined ? undefined : object(header)['revision'];
  // The answer to the watch itself carries the revision of now, which may be ahead of what it still has to tell.
  return message['events'] === undefined || typeof revision !== 'string'
    ? undefined
    : BigInt(revision);
}

/** Takes over what a message of a watch says; whether it said anything. */
function apply(table: Map<string, ServiceInstance>, message: Fields): boolean {
  const events = Array.isArray(message['events']) ? (message['events'] as unknown[]) : [];
  for (const event of events.map(object)) {
    const kv = object(event['kv']);
    if (event['type'] === 'DELETE') table.delete(decode(kv['key']));
    else keep(table, kv);
  }
  return events.length > 0;
}

/** Keys that someone else wrote there, and that hold no instance, are left out. */
function keep(table: Map<string, ServiceInstance>, kv: Fields): void {
  const key = decode(kv['key']);
  try {
    const instance = readInstance(parse(decode(kv['value'])));
    if (key.endsWith(`/${instance.service}/${instance.id}`)) table.set(key, instance);
    else table.delete(key);
  } catch {
    table.delete(key);
  }
}

import type { BackendContext, BackendFactory, DiscoveryBackend } from '../discovery-backend.js';
import { InstanceSource } from '../instance-source.js';
import type { InstanceStatus, ServiceInstance } from '../service-instance.js';
import { type Lease, ServiceRegistry } from '../service-registry.js';
import { InstanceTable } from './instance-table.js';
import { Newest } from './newest.js';

/** What the Nest applications of one process share when each of them uses `memory(hub)`. */
export class MemoryHub {
  private readonly tables = new Map<string, InstanceTable<object>>();

  /** The registrations of a namespace. */
  table(namespace: string): InstanceTable<object> {
    const table = this.tables.get(namespace) ?? new InstanceTable<object>();
    this.tables.set(namespace, table);
    return table;
  }

  /** Forgets every registration, as a registry does that was started again empty. */
  clear(): void {
    for (const table of this.tables.values()) table.clear();
  }
}

/**
 * A registry inside this process: for tests, and for several Nest applications in one process.
 *
 * @param hub what the applications share; without it each has a registry of its own
 * @example
 * const hub = new MemoryHub();
 * const orders = { backend: memory(hub) };
 * const gateway = { backend: memory(hub) };
 */
export function memory(hub: MemoryHub = new MemoryHub()): BackendFactory {
  return (context) => new MemoryBackend(hub, context);
}

class MemoryBackend implements DiscoveryBackend {
  readonly name = 'memory';
  readonly remote = false;
  readonly registry: ServiceRegistry;
  readonly source: InstanceSource;

  constructor(hub: MemoryHub, context: BackendContext) {
    const table = hub.table(context.namespace);
    this.registry = new MemoryRegistry(table, context.heartbeat);
    this.source = new MemorySource(table);
  }
}

class MemoryRegistry extends ServiceRegistry {
  constructor(
    private readonly table: InstanceTable<object>,
    private readonly heartbeat: number,
  ) {
    super();
  }

  override register(instance: ServiceInstance, signal: AbortSignal): Promise<Lease> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const lease = new MemoryLease(this.table, instance, this.heartbeat);
    this.table.put(instance, lease);
    return Promise.resolve(lease);
  }
}

class MemoryLease implements Lease {
  constructor(
    private readonly table: InstanceTable<object>,
    private readonly instance: ServiceInstance,
    /** Nothing expires here; the beat is how a cleared hub is noticed. */
    readonly renewEvery: number,
  ) {}

  renew(status: InstanceStatus): Promise<'ok' | 'lost'> {
    const { id } = this.instance;
    if (!this.table.has(id)) return Promise.resolve('lost');
    // Who was replaced keeps quiet: two of one id that take it from each other would never end.
    if (this.table.belongsTo(id, this)) this.table.put({ ...this.instance, status }, this);
    return Promise.resolve('ok');
  }

  revoke(): Promise<void> {
    this.table.remove(this.instance.id, this);
    return Promise.resolve();
  }
}

class MemorySource extends InstanceSource {
  constructor(private readonly table: InstanceTable<object>) {
    super();
  }

  override async *instances(
    service: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServiceInstance[]> {
    const newest = new Newest<readonly ServiceInstance[]>();
    newest.push(this.table.instances(service));
    const stop = this.table.onChange((changed) => {
      if (changed === service) newest.push(this.table.instances(service));
    });
    try {
      yield* newest.read(signal);
    } finally {
      stop();
    }
  }

  override async *services(signal: AbortSignal): AsyncIterable<readonly string[]> {
    const newest = new Newest<readonly string[]>();
    let known = this.table.services();
    newest.push(known);
    const stop = this.table.onChange(() => {
      const names = this.table.services();
      if (names.join() !== known.join()) newest.push((known = names));
    });
    try {
      yield* newest.read(signal);
    } finally {
      stop();
    }
  }
}

import { Changes } from '../../common/changes.js';
import { type ConfigRequest, type ConfigSnapshot, ConfigSource } from '../config-source.js';
import type { PropertySource, PropertyValue } from '../../common/properties/property-source.js';
import { flatten, type PropertyTree } from '../../common/properties/property-tree.js';

/**
 * Configuration from the program's own memory; for tests and for programs that have their values from elsewhere.
 *
 * @example
 * const source = new MemorySource({ db: { host: 'localhost' } });
 * ConfigClientModule.forRoot({ name: 'orders', source });
 * source.set({ db: { host: 'db-2' } });
 */
export class MemorySource extends ConfigSource {
  override readonly name: string = 'memory';
  private version = 1;
  private snapshot: ConfigSnapshot;
  private readonly changes = new Changes();

  constructor(tree: PropertyTree) {
    super();
    this.snapshot = this.snapshotOf(tree);
  }

  /** Replaces the whole configuration. */
  set(tree: PropertyTree): void {
    this.version++;
    this.snapshot = this.snapshotOf(tree);
    this.changes.announce();
  }

  override async *watch(
    _request: ConfigRequest,
    signal: AbortSignal,
  ): AsyncIterable<ConfigSnapshot> {
    while (!signal.aborted) {
      const { snapshot } = this;
      yield snapshot;
      if (snapshot === this.snapshot) await this.changes.next(signal);
    }
  }

  private snapshotOf(tree: PropertyTree): ConfigSnapshot {
    const entries = [...flatten(tree)].map(
      ([key, value]) => [key, value as PropertyValue] as const,
    );
    const source: PropertySource = { name: this.name, source: Object.fromEntries(entries) };
    return { sources: [source], version: String(this.version) };
  }
}

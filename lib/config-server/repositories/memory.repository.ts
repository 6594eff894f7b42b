import { Changes } from '../../common/changes.js';
import type { PropertySource } from '../../common/properties/property-source.js';
import { ConfigRepository, type RepositorySnapshot } from '../config-repository.js';

/**
 * Property sources in the program's own memory; for tests, and for values that come from elsewhere.
 *
 * @example
 * const repository = new MemoryRepository({ orders: [{ name: 'orders', source: { 'db.url': 'pg://db' } }] });
 */
export class MemoryRepository extends ConfigRepository {
  private readonly changes = new Changes();

  /** @param applications the sources of each application, highest first */
  constructor(private applications: Readonly<Record<string, readonly PropertySource[]>> = {}) {
    super();
  }

  /** Replaces everything. */
  set(applications: Readonly<Record<string, readonly PropertySource[]>>): void {
    this.applications = applications;
    this.changes.announce();
  }

  override async *watch(
    application: string,
    _profiles: readonly string[],
    _label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot> {
    while (!signal.aborted) {
      const { applications } = this;
      const known = Object.hasOwn(applications, application);
      yield { sources: (known ? applications[application] : undefined) ?? [] };
      if (applications === this.applications) await this.changes.next(signal);
    }
  }
}

import { Changes } from '../../common/changes.js';
import { refuse } from '../../common/option-readers.js';
import {
  type ConfigResource,
  ConfigRepository,
  type RepositorySnapshot,
  type ResourceQuery,
} from '../config-repository.js';

/**
 * Several repositories, the first one the strongest: all of its layers come before those of the next.
 *
 * If one of them cannot be read, the whole cannot be, and the last good configuration stays.
 */
export class CompositeRepository extends ConfigRepository {
  constructor(private readonly repositories: readonly ConfigRepository[]) {
    super();
    if (
      !Array.isArray(repositories) ||
      repositories.length === 0 ||
      !repositories.every(isRepository)
    ) {
      refuse('compositeRepository', 'holds no repositories', 'Give it a list of at least one.');
    }
  }

  override async *watch(
    application: string,
    profiles: readonly string[],
    label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot> {
    const stop = new AbortController();
    const end = () => stop.abort();
    signal.addEventListener('abort', end);
    const parts = this.repositories.map((repository) =>
      follow(repository.watch(application, profiles, label, stop.signal), stop.signal),
    );
    try {
      const { changes } = new Followed(parts);
      while (!signal.aborted) {
        const snapshots = parts.map(({ latest }) => latest);
        for (const { failure } of parts) if (failure) throw failure.error;
        const whole = snapshots.every((each) => each !== undefined);
        if (whole) yield joined(snapshots);
        const same = parts.every(({ latest, failure }, at) => latest === snapshots[at] && !failure);
        if (same) await changes.next(signal);
      }
    } finally {
      signal.removeEventListener('abort', end);
      stop.abort();
    }
  }

  override async resource(
    query: ResourceQuery,
    signal: AbortSignal,
  ): Promise<ConfigResource | undefined> {
    for (const repository of this.repositories) {
      const found = await repository.resource(query, signal);
      if (found) return found;
    }
    return undefined;
  }

  override async refresh(signal: AbortSignal): Promise<void> {
    await Promise.all(this.repositories.map((each) => each.refresh(signal)));
  }

  override async close(): Promise<void> {
    await Promise.all(this.repositories.map((each) => each.close()));
  }
}

/**
 * Several repositories as one; the first is the strongest.
 *
 * @example
 * compositeRepository(fileRepository({ path: 'emergency' }), gitRepository({ url: 'https://git/config.git' }))
 */
export function compositeRepository(...repositories: ConfigRepository[]): CompositeRepository {
  return new CompositeRepository(repositories);
}

function isRepository(value: unknown): boolean {
  return value instanceof ConfigRepository;
}

/** One repository's stream, read in the background. */
interface Part {
  latest: RepositorySnapshot | undefined;
  failure: { readonly error: unknown } | undefined;
  changed: () => void;
}

/** Tells of a change in any part. */
class Followed {
  readonly changes = new Changes();

  constructor(parts: readonly Part[]) {
    for (const part of parts) part.changed = () => this.changes.announce();
  }
}

function follow(stream: AsyncIterable<RepositorySnapshot>, signal: AbortSignal): Part {
  const part: Part = { latest: undefined, failure: undefined, changed: () => undefined };
  const read = async () => {
    try {
      for await (const snapshot of stream) {
        if (signal.aborted) return;
        part.latest = snapshot;
        part.changed();
      }
    } catch (error) {
      part.failure = { error };
      part.changed();
    }
  };
  void read();
  return part;
}

/** Each state has a name of its own only if all of its parts have. */
function joined(snapshots: readonly RepositorySnapshot[]): RepositorySnapshot {
  const label = snapshots.find((each) => each.label !== undefined)?.label;
  const stale = snapshots.find((each) => each.stale !== undefined)?.stale;
  return {
    sources: snapshots.flatMap(({ sources }) => sources),
    ...(label === undefined ? {} : { label }),
    ...(stale === undefined ? {} : { stale }),
  };
}

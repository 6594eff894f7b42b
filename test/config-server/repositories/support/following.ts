import type {
  ConfigRepository,
  RepositorySnapshot,
} from '../../../../lib/config-server/config-repository.js';

/** Gathers the snapshots of repositories until `stop`. */
export class Following {
  private readonly stops: AbortController[] = [];

  /** What an application's watch has yielded, and how it ended. */
  follow(
    repository: ConfigRepository,
    application: string,
    profiles: readonly string[] = ['default'],
    label?: string,
  ) {
    const stop = new AbortController();
    this.stops.push(stop);
    const seen: RepositorySnapshot[] = [];
    const failures: unknown[] = [];
    const read = async () => {
      try {
        for await (const snapshot of repository.watch(application, profiles, label, stop.signal)) {
          seen.push(snapshot);
        }
      } catch (error) {
        failures.push(error);
      }
    };
    void read();
    return { seen, failures, end: () => stop.abort() };
  }

  stop(): void {
    for (const stop of this.stops.splice(0)) stop.abort();
  }
}

/** The first snapshot of a watch. */
export async function firstOf(
  repository: ConfigRepository,
  application: string,
  profiles: readonly string[] = ['default'],
  label?: string,
): Promise<RepositorySnapshot> {
  const stop = new AbortController();
  try {
    for await (const snapshot of repository.watch(application, profiles, label, stop.signal)) {
      return snapshot;
    }
    throw new Error('the watch ended');
  } finally {
    stop.abort();
  }
}

/** The names of the layers. */
export const namesOf = ({ sources }: RepositorySnapshot) => sources.map(({ name }) => name);

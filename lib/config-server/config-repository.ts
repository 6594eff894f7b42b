import type { PropertySource } from '../common/properties/property-source.js';

/** The whole configuration of an application at a moment. */
export interface RepositorySnapshot {
  /** The layers, highest first. */
  readonly sources: readonly PropertySource[];
  /** What the repository calls this state, such as a commit; else the contents are hashed. */
  readonly version?: string;
  /** The label that was used, when none was asked for. */
  readonly label?: string;
}

/**
 * Where a config server keeps property sources.
 *
 * A repository yields whole snapshots, the first at once; an application it does not know has no sources. A stream that
 * throws is opened again by the room, after a wait, and the last good snapshot stays. Names were checked before.
 */
export abstract class ConfigRepository {
  /** @param profiles the active profiles; the last one wins */
  abstract watch(
    application: string,
    profiles: readonly string[],
    label: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<RepositorySnapshot>;
}

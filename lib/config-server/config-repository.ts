import type { PropertySource } from '../common/properties/property-source.js';

/** The whole configuration of an application at a moment. */
export interface RepositorySnapshot {
  /** The layers, highest first. */
  readonly sources: readonly PropertySource[];
  /** What the repository calls this state, such as a commit; else the contents are hashed. */
  readonly version?: string;
  /** The label that was used, when none was asked for. */
  readonly label?: string;
  /** Set while the system behind it is away and an older state is given out. */
  readonly stale?: Staleness;
}

/** Since when, and why, an older state is given out. */
export interface Staleness {
  /** When the system behind the repository was last heard of (RFC 3339). */
  readonly since: string;
  readonly reason: string;
}

/** A file that is given out as it is, such as an `nginx.conf`. */
export interface ConfigResource {
  /** Its path in the repository. */
  readonly name: string;
  readonly bytes: Buffer;
  /** When it was last changed, in ms since 1970, where that is known. */
  readonly modified?: number;
}

/** Which file is asked for; all of it was checked before. */
export interface ResourceQuery {
  /** One name, or several with commas. */
  readonly application: string;
  readonly profiles: readonly string[];
  readonly label: string | undefined;
  /** Segments without points at their beginning, joined by slashes. */
  readonly path: string;
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

  /** A file, or `undefined` when there is none. A repository without files has none. */
  async resource(_query: ResourceQuery, _signal: AbortSignal): Promise<ConfigResource | undefined> {
    return undefined;
  }

  /** Somebody has heard of a change: look at once. A repository that hears of changes by itself need not. */
  async refresh(_signal: AbortSignal): Promise<void> {}

  /** Gives back what the repository holds. The application is going down. */
  async close(): Promise<void> {}
}

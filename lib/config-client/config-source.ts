import type { Clock } from '../common/clock.js';
import type { PropertySource } from '../common/properties/property-source.js';
import type { ConfigServerLocator } from './config-server-locator.js';

/** Whose configuration is asked for. */
export interface ConfigRequest {
  /** The application's name: `orders`. */
  readonly name: string;
  /** The active profiles; the last one wins. */
  readonly profiles: readonly string[];
  /** A branch, tag or directory, where the source has such. */
  readonly label?: string;
}

/** The whole remote configuration at a moment. */
export interface ConfigSnapshot {
  /** The layers, highest first. */
  readonly sources: readonly PropertySource[];
  /** What the source calls this state of it: a commit, a hash, a number. */
  readonly version?: string;
  readonly label?: string;
}

/** What a running instance says of how it uses its configuration. */
export interface ConfigUsage {
  /** Unique for each process. */
  readonly instance: string;
  /** The keys it reads; one that ends in `.*` is all below it. */
  readonly keys: readonly string[];
  /** A digest of the rules its configuration must pass, if it has any. */
  readonly schema?: string;
}

/**
 * Where configuration is read.
 *
 * A source yields whole snapshots, the first at once. One that throws is opened again by the room, after a wait.
 */
export abstract class ConfigSource {
  /** What it is called in messages; no credentials. */
  abstract readonly name: string;

  abstract watch(request: ConfigRequest, signal: AbortSignal): AsyncIterable<ConfigSnapshot>;

  /** Tells a source that wants to know how the configuration is used; most do not. */
  report(_request: ConfigRequest, _usage: ConfigUsage, _signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  /** Layers that it has although the whole cannot be had: a start without the rest uses them. */
  get known(): readonly PropertySource[] {
    return [];
  }
}

/** What a source may work with. */
export interface ConfigSourceTools {
  readonly clock: Clock;
  /** Finds config servers in a registry, if the application has one. */
  readonly locator?: ConfigServerLocator;
}

/** Makes a source when the application starts, with the application's own time and registry. */
export type ConfigSourceFactory = (tools: ConfigSourceTools) => ConfigSource;

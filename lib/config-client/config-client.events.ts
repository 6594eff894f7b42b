declare module '../common/event-hub.js' {
  interface RookeryEvents {
    /** Values are others than before; whoever reads them already sees the new ones. */
    'config.changed': { readonly keys: readonly string[]; readonly version: string | undefined };
    /** A new configuration was refused; the last good one stays in use. */
    'config.rejected': { readonly version: string | undefined; readonly issues: readonly string[] };
    /** A configuration harmed the service and was taken back; the one before it is in use again. */
    'config.reverted': ConfigReversal;
    /** The source of configuration answers again, or no longer. The last good values stay in use meanwhile. */
    'config.reachable': { readonly source: string };
    'config.unreachable': { readonly source: string; readonly reason: string };
  }
}

/** What changed in the configuration. */
export interface ConfigChange {
  /** The keys that were added, changed or removed: `['db.pool.max']`. */
  readonly keys: readonly string[];
  /** The version that is in use now, as its source counts it. */
  readonly version: string | undefined;
}

/** A configuration that was taken back. */
export interface ConfigReversal {
  /** The version that did harm, as its source counts it. */
  readonly version: string | undefined;
  /** The version that is in use again. */
  readonly to: string | undefined;
  readonly reason: string;
}

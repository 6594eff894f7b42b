/** An application's configuration is another than before, and those who wait for it were told. */
export interface ConfigPublished {
  readonly application: string;
  readonly version: string;
}

/** A repository could not be read; the last good configuration is served on. */
export interface RepositoryFailed {
  readonly application: string;
  readonly reason: string;
}

declare module '../common/event-hub.js' {
  interface RookeryEvents {
    'config.published': ConfigPublished;
    'repository.failed': RepositoryFailed;
  }
}

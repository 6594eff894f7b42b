import { Changes } from '../../common/changes.js';

/**
 * One stream for all who watch: it is opened with the first of them and ended with the last.
 *
 * A failure is a failure of everyone's stream; whoever opens it again opens a new one.
 */
export class SharedStream<T> {
  private run: Run<T> | undefined;

  constructor(private readonly open: (signal: AbortSignal) => AsyncIterable<T>) {}

  /** Yields the newest snapshot, the first as soon as there is one. */
  async *watch(signal: AbortSignal): AsyncIterable<T> {
    const run = (this.run ??= this.begin());
    run.users++;
    try {
      let seen: { readonly snapshot: T } | undefined;
      while (!signal.aborted) {
        if (run.failure) throw run.failure.error;
        if (run.value && run.value !== seen) {
          seen = run.value;
          yield seen.snapshot;
        } else if (run.ended) return;
        else await run.changes.next(signal);
      }
    } finally {
      if (--run.users === 0) this.end(run);
    }
  }

  private begin(): Run<T> {
    const run: Run<T> = { users: 0, stop: new AbortController(), changes: new Changes() };
    void this.read(run);
    return run;
  }

  private async read(run: Run<T>): Promise<void> {
    try {
      for await (const snapshot of this.open(run.stop.signal)) {
        run.value = { snapshot };
        run.changes.announce();
      }
      run.ended = true;
    } catch (error) {
      run.failure = { error };
      this.end(run);
    }
    run.changes.announce();
  }

  private end(run: Run<T>): void {
    run.stop.abort();
    if (this.run === run) this.run = undefined;
  }
}

interface Run<T> {
  users: number;
  readonly stop: AbortController;
  readonly changes: Changes;
  value?: { readonly snapshot: T };
  failure?: { readonly error: unknown };
  ended?: boolean;
}

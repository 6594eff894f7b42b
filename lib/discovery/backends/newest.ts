/**
 * Hands the newest of many values to one reader; values it had no time for are skipped.
 *
 * It turns a backend's callbacks into the stream of snapshots that an `InstanceSource` yields.
 */
export class Newest<T> {
  private value: { readonly held: T } | undefined;
  private failure: { readonly error: unknown } | undefined;
  private wake: () => void = () => {};

  /** Replaces the value that waits for the reader. */
  push(value: T): void {
    this.value = { held: value };
    this.wake();
  }

  /** Makes the reader throw, after the value that still waits for it. */
  fail(error: unknown): void {
    this.failure ??= { error };
    this.wake();
  }

  /** Yields each newest value; ends when the signal aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const stop = () => this.wake();
    signal.addEventListener('abort', stop, { once: true });
    try {
      while (!signal.aborted) {
        const next = this.value;
        this.value = undefined;
        if (next) yield next.held;
        else if (this.failure) throw this.failure.error;
        else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

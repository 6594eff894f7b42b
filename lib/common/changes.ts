/**
 * Lets any number of readers wait for the next change of something.
 *
 * @example
 * while (!signal.aborted) {
 *   const { snapshot } = this;
 *   yield snapshot;
 *   if (snapshot === this.snapshot) await this.changes.next(signal);
 * }
 */
export class Changes {
  private readonly waiting = new Set<() => void>();

  /** Something has changed: everyone who waits goes on. */
  announce(): void {
    for (const wake of this.waiting) wake();
  }

  /** Resolves with the next change, or when the signal aborts. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.waiting.delete(wake);
        // One signal serves many waits; each must leave nothing on it.
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake);
      if (signal.aborted) wake();
    });
  }
}

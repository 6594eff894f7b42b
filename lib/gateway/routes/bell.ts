/** Wakes a loop that waits for something to have changed; rings while nobody waits are kept as one. */
export class Bell {
  private rung = false;
  private wake: () => void = () => {};

  /** Something has changed. */
  ring(): void {
    this.rung = true;
    this.wake();
  }

  /** Resolves with the next ring, at once if it rang since the last wait, or when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = () => {
          // One signal serves many waits; each must leave nothing on it.
          signal.removeEventListener('abort', this.wake);
          resolve();
        };
        signal.addEventListener('abort', this.wake, { once: true });
      });
    }
    this.wake = () => {};
    this.rung = false;
  }
}

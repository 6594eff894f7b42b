/** Wakes a loop that waits for something to have changed; rings while nobody waits are kept as one. */
export class Bell {
  private rung = false;
  private wake: (() => void) | undefined;

  /** Something has changed. */
  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  /** Resolves with the next ring, at once if it rang since the last wait, or when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.wake = undefined;
    this.rung = false;
  }
}

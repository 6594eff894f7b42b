import { Backoff, type BackoffLimits } from './backoff.js';
import type { Clock } from './clock.js';

export interface LiveOptions<T> {
  readonly clock: Clock;
  /** Opens the stream of snapshots. One that throws is opened again; one that ends is finished. */
  readonly open: (signal: AbortSignal) => AsyncIterable<T>;
  readonly backoff?: BackoffLimits;
  /** Hears of every failure of the stream; the last good value stays. */
  readonly onError?: (error: unknown) => void;
  /** Hears of a listener that threw; the others still hear the value. */
  readonly onListenerError?: (error: unknown) => void;
}

/** Thrown by `Live.current` before the first snapshot has come. */
export class NotReadyError extends Error {
  override readonly name = 'NotReadyError';
}

/**
 * The newest good value of something that changes.
 *
 * It reads a stream of whole snapshots and keeps the last one. A stream that ends is finished; a stream that throws
 * is opened again after a wait, and meanwhile the last good value stays.
 */
export class Live<T> {
  private readonly stopped = new AbortController();
  private readonly listeners = new Set<(value: T) => void>();
  private readonly backoff: Backoff;
  private readonly first: Promise<void>;
  private arrived!: () => void;
  private value: { readonly snapshot: T } | undefined;
  private failure: unknown;
  private nap = new AbortController();

  constructor(private readonly options: LiveOptions<T>) {
    this.backoff = new Backoff(options.backoff);
    this.first = new Promise((resolve) => (this.arrived = resolve));
    void this.read();
  }

  /** The newest snapshot; throws `NotReadyError` until the first has come. */
  get current(): T {
    if (!this.value) throw new NotReadyError('no snapshot has come yet');
    return this.value.snapshot;
  }

  /** The newest snapshot, or `undefined` until the first has come. */
  get latest(): T | undefined {
    return this.value?.snapshot;
  }

  /** Why the stream is broken at the moment, or `undefined` while it is well. */
  get error(): unknown {
    return this.failure;
  }

  /** Resolves when the first snapshot has come, or when this is closed. */
  ready(): Promise<void> {
    return this.first;
  }

  /** Hears of every snapshot from now on; returns how to stop. */
  onChange(listener: (value: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Opens a broken stream again now, in place of after its wait: what it needs is known to be back. */
  retry(): void {
    this.nap.abort();
  }

  /** Ends the stream; the last value stays readable. */
  close(): void {
    this.stopped.abort();
    this.nap.abort();
    this.listeners.clear();
    this.arrived();
  }

  private async read(): Promise<void> {
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        for await (const snapshot of this.options.open(signal)) {
          if (signal.aborted) return;
          this.accept(snapshot);
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.failure = error ?? new Error('the stream failed without a reason');
        this.options.onError?.(error);
        await this.rest(signal);
      }
    }
  }

  private async rest(signal: AbortSignal): Promise<void> {
    this.nap = new AbortController();
    if (signal.aborted) return;
    await this.options.clock.sleep(this.backoff.next(), this.nap.signal);
  }

  private accept(snapshot: T): void {
    this.failure = undefined;
    this.backoff.reset();
    this.value = { snapshot };
    this.arrived();
    for (const listener of this.listeners) {
      try {
        listener(snapshot);
      } catch (error) {
        this.options.onListenerError?.(error);
      }
    }
  }
}

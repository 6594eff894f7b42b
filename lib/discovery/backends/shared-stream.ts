import { Newest } from './newest.js';

/**
 * One stream for many readers: it opens when the first of them comes and ends when the last has gone.
 *
 * A failure reaches all of them; whoever reads again opens it anew. It holds the newest snapshot only while it is open.
 */
export class SharedStream<T> {
  private readonly readers = new Set<Reader<T>>();
  private newest: { readonly held: T } | undefined;
  private open: AbortController | undefined;

  constructor(private readonly source: (signal: AbortSignal) => AsyncIterable<T>) {}

  /**
   * The snapshots from now on, the newest known one at once.
   *
   * @param concerns whether what the reader looks at differs from the snapshot before; it is not woken for the others; without it, for every one
   */
  async *read(
    signal: AbortSignal,
    concerns?: (before: T, now: T) => boolean,
  ): AsyncGenerator<T, void, undefined> {
    if (signal.aborted) return;
    const reader = new Reader(concerns);
    if (this.newest) reader.take(this.newest);
    this.readers.add(reader);
    if (!this.open) void this.run((this.open = new AbortController()));
    try {
      yield* reader.newest.read(signal);
    } finally {
      this.readers.delete(reader);
      if (this.readers.size === 0) this.stop();
    }
  }

  private async run(mine: AbortController): Promise<void> {
    try {
      for await (const snapshot of this.source(mine.signal)) {
        if (mine.signal.aborted) return;
        this.newest = { held: snapshot };
        for (const reader of this.readers) reader.take(this.newest);
      }
      throw new Error('the stream ended');
    } catch (error) {
      if (mine.signal.aborted) return;
      const readers = [...this.readers];
      this.readers.clear();
      this.stop();
      for (const reader of readers) reader.newest.fail(error);
    }
  }

  private stop(): void {
    this.open?.abort();
    this.open = undefined;
    this.newest = undefined;
  }
}

/** One who reads, and the snapshot it was shown last, or spared. */
class Reader<T> {
  readonly newest = new Newest<T>();
  private before: { readonly held: T } | undefined;

  constructor(private readonly concerns: ((before: T, now: T) => boolean) | undefined) {}

  take(snapshot: { readonly held: T }): void {
    const { before } = this;
    this.before = snapshot;
    if (before && this.concerns?.(before.held, snapshot.held) === false) return;
    this.newest.push(snapshot.held);
  }
}

/** The same stream without the snapshots that say what the one before said. */
export async function* distinct<T>(stream: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  let last: string | undefined;
  for await (const value of stream) {
    const content = JSON.stringify(value);
    if (content === last) continue;
    last = content;
    yield value;
  }
}

import { Newest } from './newest.js';

/**
 * One stream for many readers: it opens when the first of them comes and ends when the last has gone.
 *
 * A failure reaches all of them; whoever reads again opens it anew. It holds the newest snapshot only while it is open.
 */
export class SharedStream<T> {
  private readonly readers = new Set<Newest<T>>();
  private newest: { readonly held: T } | undefined;
  private open: AbortController | undefined;

  constructor(private readonly source: (signal: AbortSignal) => AsyncIterable<T>) {}

  /** The snapshots from now on, the newest known one at once. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    if (signal.aborted) return;
    const reader = new Newest<T>();
    if (this.newest) reader.push(this.newest.held);
    this.readers.add(reader);
    if (!this.open) void this.run((this.open = new AbortController()));
    try {
      yield* reader.read(signal);
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
        for (const reader of this.readers) reader.push(snapshot);
      }
      throw new Error('the stream ended');
    } catch (error) {
      if (mine.signal.aborted) return;
      const readers = [...this.readers];
      this.readers.clear();
      this.stop();
      for (const reader of readers) reader.fail(error);
    }
  }

  private stop(): void {
    this.open?.abort();
    this.open = undefined;
    this.newest = undefined;
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

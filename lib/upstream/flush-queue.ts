/** What holds bytes back until it is told to let them go. */
export interface Flushable {
  /** Writes what it holds, if anything. */
  flush(): void;
}

/** So many wait at most, so that the first of a long turn does not wait for the last. */
const MOST = 64;

/**
 * Lets small messages of one turn of the event loop leave together at its end (Netty's flush consolidation).
 *
 * A write wakes its reader up, and that costs more than the write does; a reader who is awake already costs nothing, so
 * that messages in a row are cheaper than the same messages with work between them.
 */
export class FlushQueue {
  private waiting: Flushable[] = [];
  private spare: Flushable[] = [];
  private isDue = false;

  /** Has it flushed when the turn ends, or sooner, but not before this returns. */
  add(item: Flushable): void {
    if (this.waiting.length === MOST) this.flush();
    this.waiting.push(item);
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(this.endTurn);
  }

  private readonly endTurn = (): void => {
    this.isDue = false;
    this.flush();
  };

  private flush(): void {
    const { waiting } = this;
    // What is added meanwhile waits for the next time.
    this.waiting = this.spare;
    for (const item of waiting) item.flush();
    waiting.length = 0;
    this.spare = waiting;
  }
}

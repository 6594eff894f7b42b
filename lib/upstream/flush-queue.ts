/** What holds bytes back until it is told to let them go. */
export interface Flushable {
  /** Writes what it holds, if anything. */
  flush(): void;
}

/** A turn with fewer messages is a quiet one: the next flushes as many at once. */
const FEW = 4;

/** So many wait at most, so that the first of a long turn does not wait for the last. */
const MOST = 64;

/**
 * Lets small messages of one turn of the event loop leave together at its end (Netty's flush consolidation).
 *
 * A write wakes its reader up, and that costs more than the write does; a reader who is awake already costs nothing, so
 * that messages in a row are cheaper than the same messages with work between them. Where turns have few messages there is
 * little to save, and none waits.
 */
export class FlushQueue {
  private waiting: Flushable[] = [];
  private spare: Flushable[] = [];
  private isDue = false;
  private added = 0;
  /** So many of this turn are flushed at once. */
  private atOnce = FEW;

  /** Has an item that is filled in flushed: now, when the turn ends, or in between. */
  add(item: Flushable): void {
    if (!this.isDue) {
      this.isDue = true;
      setImmediate(this.endTurn);
    }
    if (this.added++ < this.atOnce) item.flush();
    else if (this.waiting.push(item) === MOST) this.flush();
  }

  private readonly endTurn = (): void => {
    this.isDue = false;
    this.atOnce = this.added < FEW ? FEW : 0;
    this.added = 0;
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

import { Deadline } from '../../upstream/deadline-list.js';
import type { Exchange } from './exchange.js';

/** How often a paused upload is read a little, to see whether its client is still there, in ms. */
const PEEK = 1_000;
/** How often at most; each time what is read waits in memory. */
const MOST_PEEKS = 4;

/**
 * What becomes of a client that stops sending in the middle of its body.
 *
 * While the upstream does not take more, nothing is read, and a connection that nobody reads hears of nothing, not even
 * that its client is gone. So it is read a little from time to time; in the end the upstream's own idle time ends it.
 */
export class UploadDeadline extends Deadline {
  private paused = false;
  private peeks = 0;

  constructor(private readonly exchange: Exchange) {
    super();
  }

  /** The client is to send. */
  await(): void {
    this.paused = false;
    this.peeks = 0;
    this.set(this.exchange.route.timeouts.bodyIdle);
  }

  /** Bytes came while the upstream takes them. */
  onBytes(): void {
    if (!this.paused) this.set(this.exchange.route.timeouts.bodyIdle);
  }

  /** The upstream takes no more for now. */
  pause(): void {
    this.paused = true;
    this.exchange.pauseBody();
    this.set(PEEK);
  }

  clear(): void {
    this.exchange.route.upstream.deadlines.clear(this);
  }

  override expire(): void {
    const { exchange } = this;
    if (this.paused) {
      if (this.peeks++ < MOST_PEEKS) exchange.resumeBody();
      return;
    }
    // What is still to come of the body would stand where the next request should.
    exchange.endConnection();
    exchange.refuse(408);
  }

  private set(ms: number): void {
    const { deadlines } = this.exchange.route.upstream;
    deadlines.set(this, ms, deadlines.coarseNow);
  }
}

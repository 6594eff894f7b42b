import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Deadline, type Deadlines } from '../../upstream/deadline-list.js';

/**
 * The time for a client to take what was written for it, some 64 KiB at a time: one that reads a byte now and then must not
 * hold an upstream's connection, or its own, for ever.
 */
export class ReaderDeadline extends Deadline {
  constructor(
    private readonly socket: Socket,
    private readonly deadlines: Deadlines,
    private readonly ms: number,
  ) {
    super();
  }

  /** The client is to read. */
  await(): void {
    this.deadlines.set(this, this.ms, this.deadlines.coarseNow);
  }

  /** It is to read what is left, after which the answer is over. */
  awaitEnd(response: ServerResponse): void {
    this.await();
    response.once('close', () => this.clear());
  }

  clear(): void {
    this.deadlines.clear(this);
  }

  override expire(): void {
    this.socket.destroy();
  }
}

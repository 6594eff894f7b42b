import type { Deadlines } from '../../upstream/deadline-list.js';
import type { FlushQueue } from '../../upstream/flush-queue.js';
import type { AnswerHead } from './answer-head.js';
import type { LaneConnection } from './lane-connection.js';
import type { LaneExchange } from './lane-exchange.js';

/** What a connection needs to know of the lane it is on. */
export interface LaneOwner {
  readonly deadlines: Deadlines;
  readonly answers: AnswerHead;
  readonly flushes: FlushQueue;
  /** The server's own times for a connection, in ms; 0 is for ever. */
  readonly timeouts: {
    readonly headersTimeout: number;
    readonly requestTimeout: number;
    readonly keepAliveTimeout: number;
  };
  /** Whether connections end behind their answers from now on. */
  readonly isClosing: boolean;
  /** Reads a head and makes its exchange; undefined leaves the request to Node. */
  begin(connection: LaneConnection, head: string): LaneExchange | undefined;
  /** Gives the connection to Node with the bytes that were not used. */
  handOver(connection: LaneConnection, bytes: Buffer): void;
  /** Its client does not begin to ask. */
  onSilence(connection: LaneConnection): void;
}

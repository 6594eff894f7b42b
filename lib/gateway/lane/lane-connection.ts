import { maxHeaderSize } from 'node:http';
import type { Socket } from 'node:net';
import { Deadline } from '../../upstream/deadline-list.js';
import type { Flushable } from '../../upstream/flush-queue.js';
import type { ClientConnection } from '../proxy/client-connection.js';
import type { AnswerHead } from './answer-head.js';
import type { LaneExchange } from './lane-exchange.js';
import type { LaneOwner } from './lane-owner.js';

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const NOTHING = Buffer.alloc(0);
/** The longest head that is read here; what may come near Node's own limit is for Node to judge. */
const LONGEST_HEAD = Math.min(8_192, maxHeaderSize / 2);
/** How long the rest of a head may take, in ms, before Node gets it. */
const PATIENCE = 100;
/** How much is read ahead of the request that is being answered. */
const READ_AHEAD = 65_536;
/** How long a client gets to read the last answer while it still sends, in ms. */
const FAREWELL = 1_000;
/** How much of a body that nobody wants is read, so that its sender comes to read the answer. */
const MOST_DISCARDED = 1 << 20;

/**
 * A client's connection on the fast lane: cuts requests out of the bytes that come, one at a time and in order.
 *
 * It is itself the one deadline that runs for it: for the first request, for the rest of a head or of a body, and for the next
 * request.
 */
export class LaneConnection extends Deadline implements Flushable {
  /** Whether the client expects it to stay open. */
  keepsAlive = true;
  private exchange: LaneExchange | undefined = undefined;
  /** Bytes that were not used yet. */
  private held: Buffer = NOTHING;
  /** How much of the body is to come. */
  private bodyLeft = 0;
  private flows = false;
  private discarded = 0;
  /** Ends of answers, which leave when the turn of the event loop ends. */
  private unsent = '';
  /** How long its client may take to read the answer, in ms. */
  private readIdle = 0;
  private served = 0;
  private reading = false;
  /** Whether the beginning of a head has come, and not its end. */
  private isPartial = false;
  private isPaused = false;
  /** Whether nothing more is written. */
  private isLeaving = false;
  private over = false;

  constructor(
    readonly socket: Socket,
    readonly client: ClientConnection,
    private readonly owner: LaneOwner,
  ) {
    super();
    socket.on('data', this.onData).on('drain', this.onDrain).on('end', this.onFinish);
    socket.on('error', ignore).on('close', this.onClose);
    this.await(owner.timeouts.headersTimeout);
  }

  get answers(): AnswerHead {
    return this.owner.answers;
  }

  /** Whether it ends behind the answer that is being written. */
  get closes(): boolean {
    return !this.keepsAlive || this.owner.isClosing;
  }

  /** Whether a request is under way. */
  get isBusy(): boolean {
    return this.exchange !== undefined;
  }

  /** Whether it waits for a further request. */
  get isIdle(): boolean {
    return !this.isBusy && this.served > 0 && this.held.length === 0 && this.bodyLeft === 0;
  }

  /** Lets the body go to its exchange. */
  flowBody(): void {
    this.flows = true;
    this.resume();
    while (this.bodyLeft > 0 && this.held.length > 0 && this.passBody());
  }

  /** Nothing of the body is read for now. */
  holdBody(): void {
    this.flows = false;
    this.pause();
  }

  /** An exchange is over; its answer was written, or it never will be. */
  onAnswered(exchange: LaneExchange): void {
    if (exchange !== this.exchange) return;
    this.exchange = undefined;
    this.served++;
    const { timeouts } = exchange.route;
    this.readIdle = timeouts.readIdle;
    if (!exchange.ended) return this.close();
    if (this.closes) this.leave();
    else if (this.bodyLeft > 0) this.await(timeouts.bodyIdle);
    else this.await(this.owner.timeouts.keepAliveTimeout);
    this.resume();
    if (this.held.length > 0) this.read();
  }

  /** Sends the end of an answer, together with all that ends in this turn. */
  sendLast(text: string): true {
    if (this.unsent === '') this.owner.flushes.add(this);
    this.unsent += text;
    return true;
  }

  flush(): void {
    const { unsent } = this;
    if (unsent === '') return;
    this.unsent = '';
    this.socket.write(unsent, 'latin1');
    // A client that has not read its answer cannot have asked again.
    if (this.isIdle && this.socket.writableLength > 0) this.await(this.readIdle);
  }

  /** Ends now, with what was sent. */
  close(): void {
    this.flush();
    this.socket.destroy();
  }

  /** Takes our ears off the socket. */
  release(): void {
    this.over = true;
    this.owner.deadlines.clear(this);
    const { socket } = this;
    socket.off('data', this.onData).off('drain', this.onDrain).off('end', this.onFinish);
    socket.off('error', ignore).off('close', this.onClose);
  }

  override expire(): void {
    const { exchange } = this;
    if (this.isLeaving) this.socket.destroy();
    else if (exchange !== undefined) {
      // The whole request was not here in time.
      this.keepsAlive = false;
      exchange.refuse(408);
    } else if (this.bodyLeft === 0 && this.held.length > 0) this.handOver();
    else if (this.served === 0) this.owner.onSilence(this);
    else this.socket.destroy();
  }

  private readonly onData = (bytes: Buffer): void => {
    this.held = this.held.length === 0 ? bytes : Buffer.concat([this.held, bytes]);
    this.read();
  };

  private readonly onDrain = (): void => {
    if (this.exchange !== undefined) this.exchange.resume();
  };

  /** Node ends a connection whose client has ended its side, and so do we; `close` follows. */
  private readonly onFinish = (): void => {
    this.held = NOTHING;
    this.isLeaving = true;
    this.flush();
    this.socket.end();
    this.await(FAREWELL);
  };

  private readonly onClose = (): void => {
    this.over = true;
    this.owner.deadlines.clear(this);
  };

  private read(): void {
    // Answers that are there at once would make this call itself for each request that waits.
    if (this.reading) return;
    this.reading = true;
    while (this.held.length > 0 && !this.over && this.step());
    this.reading = false;
  }

  /** Uses some of the bytes; false when nothing can be done with them now. */
  private step(): boolean {
    if (this.bodyLeft > 0) return this.exchange === undefined ? this.discard() : this.passBody();
    if (this.isLeaving) this.held = NOTHING;
    else if (this.exchange === undefined) return this.begin();
    if (this.held.length > READ_AHEAD) this.pause();
    return false;
  }

  private begin(): boolean {
    const { held } = this;
    const from = endOfHead(held);
    if (from < 0) return this.awaitHead(held.length);
    // With the line end of its last line, and without the empty line.
    const exchange =
      from > LONGEST_HEAD
        ? undefined
        : this.owner.begin(this, held.toString('latin1', 0, from - 2));
    if (exchange === undefined) return this.handOver();
    this.held = from === held.length ? NOTHING : held.subarray(from);
    this.exchange = exchange;
    this.bodyLeft = exchange.length;
    this.isPartial = false;
    this.flows = false;
    this.discarded = 0;
    if (this.bodyLeft > this.held.length) this.await(this.owner.timeouts.requestTimeout);
    else this.owner.deadlines.clear(this);
    exchange.start();
    return true;
  }

  private awaitHead(length: number): false {
    if (length > LONGEST_HEAD) return this.handOver();
    // Each further byte does not earn it more time.
    if (!this.isPartial) this.await(PATIENCE);
    this.isPartial = true;
    return false;
  }

  private handOver(): false {
    const { held } = this;
    this.held = NOTHING;
    this.flush();
    this.owner.handOver(this, held);
    return false;
  }

  private passBody(): boolean {
    const { exchange } = this;
    if (exchange === undefined || !this.flows) {
      this.pause();
      return false;
    }
    exchange.onRequestBytes(this.takeBody());
    if (this.bodyLeft > 0) return true;
    this.owner.deadlines.clear(this);
    exchange.onRequestEnd();
    return true;
  }

  private discard(): boolean {
    this.discarded += this.takeBody().length;
    if (this.discarded > MOST_DISCARDED) this.socket.destroy();
    else if (this.bodyLeft === 0 && this.isLeaving) this.socket.destroySoon();
    else if (this.bodyLeft === 0) this.await(this.owner.timeouts.keepAliveTimeout);
    return true;
  }

  /** What is there of the body. */
  private takeBody(): Buffer {
    const { held, bodyLeft } = this;
    const piece = held.length > bodyLeft ? held.subarray(0, bodyLeft) : held;
    this.bodyLeft -= piece.length;
    this.held = piece.length === held.length ? NOTHING : held.subarray(piece.length);
    return piece;
  }

  /** Ends behind what was written. A client that still sends its body is read for a while, so that it sees its answer. */
  private leave(): void {
    this.isLeaving = true;
    this.flush();
    if (this.bodyLeft > 0) this.socket.end();
    else this.socket.destroySoon();
    if (!this.socket.destroyed) this.await(FAREWELL);
  }

  private pause(): void {
    this.isPaused = true;
    this.socket.pause();
  }

  private resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.socket.resume();
  }

  private await(ms: number): void {
    const { deadlines } = this.owner;
    deadlines.set(this, ms, deadlines.coarseNow);
  }
}

/** What happened is told by the `close` that follows. */
function ignore(): void {}

/** Where the first head in some bytes ends, behind its empty line, or -1. */
function endOfHead(bytes: Buffer): number {
  const end = bytes.indexOf(HEAD_END);
  return end < 0 ? -1 : end + HEAD_END.length;
}

import { ChunkedDecoder } from './chunked-decoder.js';
import { ResponseHead } from './response-head.js';

/** The longest head; all of Node's own servers stay under a quarter of it. */
const LONGEST_HEAD = 65_536;
/** The most interim answers before the real one. */
const MOST_INFORMATION = 200;

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const CR = 0x0d;
const LF = 0x0a;
const NOTHING = Buffer.alloc(0);

/** Hears what an answer consists of; nothing comes after `onEnd` or `onMalformed`. */
export interface ResponseListener {
  onInformation(status: number, rawHeaders: string[]): void;
  onHead(status: number, rawHeaders: string[]): void;
  /** The answer is 101 to a request that asked for it; `early` are the first bytes of the other protocol. */
  onUpgrade(rawHeaders: string[], early: Buffer): void;
  onBody(chunk: Buffer): void;
  /** The answer is whole, and not one byte came after it. */
  onEnd(trailers: string[] | undefined): void;
  /** The bytes are no answer; the connection can no longer be trusted. */
  onMalformed(reason: string): void;
}

type State = 'idle' | 'head' | 'length' | 'chunked' | 'until-close' | 'broken';

/**
 * Reads HTTP/1.1 answers, one after the other, from bytes in whatever pieces they come; strict wherever two readers
 * could understand two things. It touches no socket.
 */
export class ResponseParser {
  private readonly head = new ResponseHead();
  private readonly chunks: ChunkedDecoder;
  private state: State = 'idle';
  private bodyless = false;
  private mayUpgrade = false;
  private left = 0;
  private informations = 0;
  // An unfinished head, copied together; it grows by doubling, so that a server that drips costs no more than its bytes.
  private held = NOTHING;
  private heldLength = 0;

  constructor(private readonly listener: ResponseListener) {
    this.chunks = new ChunkedDecoder(listener);
  }

  /** Whether the connection may serve another request after this answer. */
  get keepAlive(): boolean {
    return this.head.keepAlive;
  }

  /** How long the server says that it keeps an idle connection, in seconds, or -1. */
  get keepAliveSeconds(): number {
    return this.head.keepAliveSeconds;
  }

  /** Expects the answer to a request; an answer to `HEAD` has no body, whatever its headers say. */
  begin(toHead: boolean, mayUpgrade = false): void {
    this.state = 'head';
    this.bodyless = toHead;
    this.mayUpgrade = mayUpgrade;
    this.informations = 0;
    this.release();
  }

  /** Takes the next bytes. */
  feed(bytes: Buffer): void {
    switch (this.state) {
      case 'head':
        return this.feedHead(bytes);
      case 'length':
        return this.feedLength(bytes);
      case 'chunked':
        return this.feedChunked(bytes);
      case 'until-close':
        return this.listener.onBody(bytes);
      case 'idle':
        return this.fail('bytes came that belong to no answer');
      case 'broken':
        return undefined;
    }
  }

  /** No more bytes will come: that ends an answer without a length, and breaks any other. */
  finish(): 'complete' | 'incomplete' {
    if (this.state !== 'until-close') return 'incomplete';
    this.end(undefined);
    return 'complete';
  }

  private feedHead(bytes: Buffer): void {
    const whole = this.heldLength === 0 ? bytes : this.hold(bytes);
    // The end may lie across the border of two pieces.
    const from = Math.max(0, whole.length - bytes.length - 3);
    const end = whole.indexOf(HEAD_END, from);
    // Three bytes more may be the beginning of its end.
    if ((end < 0 ? whole.length - 3 : end) > LONGEST_HEAD) return this.fail('its head is too long');
    if (end < 0) {
      if (this.heldLength === 0) this.hold(bytes);
      return this.checkBeginning(this.heldLength - bytes.length);
    }
    const problem = this.head.read(whole.toString('latin1', 0, end));
    const rest = whole.subarray(end + HEAD_END.length);
    // The rest may be a view of what was held, and goes on to the listener: that memory is not ours any more.
    this.release();
    if (problem !== undefined) return this.fail(problem);
    if (this.head.status < 200) return this.information(rest);
    return this.answer(rest);
  }

  private information(rest: Buffer): void {
    const { status, rawHeaders } = this.head;
    if (status === 101) return this.upgrade(rawHeaders, rest);
    if (++this.informations > MOST_INFORMATION) return this.fail('it has too many interim answers');
    this.listener.onInformation(status, rawHeaders);
    if (rest.length > 0) this.feed(rest);
  }

  private upgrade(rawHeaders: string[], rest: Buffer): void {
    if (!this.mayUpgrade) return this.fail('it switches protocols without being asked');
    if (this.head.protocol !== 'websocket')
      return this.fail('it switches to a protocol that was not asked for');
    this.state = 'broken';
    this.listener.onUpgrade(rawHeaders, rest);
  }

  private answer(rest: Buffer): void {
    const { status, rawHeaders, chunked, contentLength } = this.head;
    this.listener.onHead(status, rawHeaders);
    // RFC 9112, 6.3: these have no body, before any length is looked at.
    if (this.bodyless || status === 204 || status === 304) return this.endWith(rest, undefined);
    if (chunked) {
      this.state = 'chunked';
      this.chunks.reset();
      return rest.length > 0 ? this.feedChunked(rest) : undefined;
    }
    if (contentLength === 0) return this.endWith(rest, undefined);
    if (contentLength > 0) {
      this.state = 'length';
      this.left = contentLength;
    } else {
      this.state = 'until-close';
      this.head.keepAlive = false;
    }
    if (rest.length > 0) this.feed(rest);
  }

  private feedLength(bytes: Buffer): void {
    if (bytes.length < this.left) {
      this.left -= bytes.length;
      return this.listener.onBody(bytes);
    }
    const surplus = bytes.subarray(this.left);
    this.listener.onBody(surplus.length === 0 ? bytes : bytes.subarray(0, this.left));
    this.endWith(surplus, undefined);
  }

  private feedChunked(bytes: Buffer): void {
    const taken = this.chunks.feed(bytes);
    if (typeof taken === 'string') return this.fail(taken);
    if (this.chunks.done) this.endWith(bytes.subarray(taken), this.chunks.trailers);
  }

  private endWith(surplus: Buffer, trailers: string[] | undefined): void {
    if (surplus.length > 0) return this.fail('bytes came after its end');
    this.end(trailers);
  }

  private end(trailers: string[] | undefined): void {
    this.state = 'idle';
    this.listener.onEnd(trailers);
  }

  private fail(reason: string): void {
    this.state = 'broken';
    this.listener.onMalformed(reason);
  }

  private hold(bytes: Buffer): Buffer {
    const length = this.heldLength + bytes.length;
    if (length > this.held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, this.held.length * 2, 1_024));
      this.held.copy(larger, 0, 0, this.heldLength);
      this.held = larger;
    }
    bytes.copy(this.held, this.heldLength);
    this.heldLength = length;
    return this.held.subarray(0, length);
  }

  private release(): void {
    this.held = NOTHING;
    this.heldLength = 0;
  }

  /** Refuses at once what can never become a head, instead of waiting for its end until a timeout. */
  private checkBeginning(from: number): void {
    const text = this.held.toString('latin1', 0, Math.min(this.heldLength, 9));
    if (!'HTTP/1.1 '.startsWith(text) && !'HTTP/1.0 '.startsWith(text))
      return this.fail('its status line is malformed');
    for (let at = this.held.indexOf(LF, from); at >= 0; at = this.held.indexOf(LF, at + 1)) {
      if (at >= this.heldLength) return undefined;
      if (this.held[at - 1] !== CR) return this.fail('a line of its head ends without CR');
    }
  }
}

import type { Socket } from 'node:net';
import type { Endpoint } from '../load-balancing/endpoint.js';
import type { UpstreamError } from './upstream.errors.js';

/** Where a call's request body goes; given to the call once its head is on the wire. */
export interface RequestSink {
  /** Sends bytes as they are; false asks to stop until `UpstreamCall.onDrain`. Framing is the call's own affair. */
  write(chunk: Buffer | string): boolean;
  /** The body is complete. */
  end(): void;
}

/** What a call may do to the answer while it runs. */
export interface ResponseSource {
  /** Continues after `onBody` returned false. */
  resume(): void;
}

/**
 * One request on its way to an upstream, and the ears for its answer; callback-shaped, because a promise or a stream
 * per request costs more than the forwarding itself.
 *
 * Callbacks come in this order: (`onConnected`) `onInformation`* `onHead` `onBody`* `onEnd`, or `onError` at any point
 * and then nothing more; a call that `upgrades` may hear `onUpgrade` in place of `onHead` and all after it. A call that was retried sees `onConnected` again, but `onHead` at most once.
 */
export abstract class UpstreamCall {
  /** The request method; `HEAD` answers have no body. */
  abstract readonly method: string;

  /** Whether a request body follows the head. */
  abstract readonly hasBody: boolean;

  /**
   * Whether it may be sent once more after bytes of it were sent: an idempotent method (RFC 9110, 9.2.2) whose body
   * was not begun.
   */
  abstract get replayable(): boolean;

  /** Whether it asks for another protocol (RFC 9110, 7.8), so that an answer of 101 makes its connection a tunnel. */
  get upgrades(): boolean {
    return false;
  }

  /** Whether so little is left of the time it has that an answer of 504 says no more than that. */
  get outOfTime(): boolean {
    return false;
  }

  /** How long the answer's head may take from the moment the request was sent, in ms; 0 is for ever. */
  abstract readonly responseTimeout: number;

  /** The longest pause within a body, in ms; 0 is for ever, and left out it is as the upstream's options say. */
  idleTimeout?: number;

  /** Restricts the pick, as a rolling deploy does; leave it undefined, which costs nothing. */
  accepts?(endpoint: Endpoint): boolean;

  /** The request line and headers with the empty line behind them, as latin1; called once for each attempt. */
  abstract head(endpoint: Endpoint): string;

  /** The head is on the wire. Called only if `hasBody`: write the body into the sink. */
  onConnected(_sink: RequestSink): void {}

  /** The sink that said false takes bytes again. */
  onDrain(): void {}

  /** An interim answer, 100 to 199 but 101. */
  onInformation(_status: number, _rawHeaders: readonly string[]): void {}

  /** The answer's head: alternating names and values, latin1, without hop-by-hop fields (RFC 9110, 7.6.1). */
  abstract onHead(status: number, rawHeaders: string[], source: ResponseSource): void;

  /**
   * The answer was 101, and the connection is the call's own from here on; nothing else comes after it. The endpoint counts
   * the call as under way until the socket is closed.
   *
   * @param socket paused, with no listeners but its own, and open until both sides have ended it
   * @param early bytes of the other protocol that came together with the head
   */
  onUpgrade(_rawHeaders: string[], socket: Socket, _early: Buffer): void {
    socket.destroy();
  }

  /** Bytes of the body, framing removed; false asks to stop until `ResponseSource.resume`. */
  abstract onBody(chunk: Buffer): boolean;

  /** The answer is complete and was whole. */
  abstract onEnd(trailers: readonly string[] | undefined): void;

  /** It failed for good; if `onHead` was called, the answer is cut off and must not look complete. */
  abstract onError(error: UpstreamError): void;

  // The upstream's own notes on a call, here so that a call is the one object a request costs.
  /** @internal */ attempt: unknown = undefined;
}

import type { Socket } from 'node:net';
import { Deadline } from '../../deadline-list.js';
import type { Flushable, FlushQueue } from '../../flush-queue.js';
import type { Attempt, Carrier } from '../../transport.js';
import {
  CallHandlingError,
  connectionErrorOf,
  UpstreamConnectionError,
  type UpstreamError,
  UpstreamProtocolError,
} from '../../upstream.errors.js';
import { type ResponseListener, ResponseParser } from './response-parser.js';

/** Where a connection belongs. */
export interface ConnectionOwner {
  readonly service: string;
  readonly flushes: FlushQueue;
  /** It is free for another attempt. */
  onIdle(connection: Http1Connection): void;
  /** It is gone, whatever it did. */
  onClosed(connection: Http1Connection): void;
  /** The caller's code threw after its call had ended. */
  onStrayError(error: unknown): void;
}

/**
 * One connection that speaks HTTP/1.1, one attempt at a time.
 *
 * It is itself the deadline of its idle time.
 */
export class Http1Connection extends Deadline implements Carrier, Flushable, ResponseListener {
  private readonly parser = new ResponseParser(this);
  /** Takes our ears off the socket. */
  private readonly letGo: () => void;
  private attempt: Attempt | undefined;
  private connected = false;
  private closed = false;
  private served = 0;
  private received = false;
  private requestComplete = false;
  private paused = false;
  /** A head that leaves when the turn of the event loop ends. */
  private unsent = '';

  constructor(
    private readonly owner: ConnectionOwner,
    private readonly socket: Socket,
    /** The event after which bytes may be sent: `secureConnect` with TLS. */
    connectEvent: 'connect' | 'secureConnect',
  ) {
    super();
    socket.setNoDelay(true);
    const onData = (bytes: Buffer) => this.onData(bytes);
    const onDrain = () => this.onDrain();
    const onFinish = () => this.onFinish();
    const onError = (error: Error) => this.onError(error);
    const onClose = () => this.onBroken('it was closed before the answer was complete');
    socket.on(connectEvent, () => this.onConnect());
    socket.on('data', onData).on('drain', onDrain).on('end', onFinish);
    socket.on('error', onError).on('close', onClose);
    this.letGo = () => {
      socket.off('data', onData).off('drain', onDrain).off('end', onFinish);
      socket.off('error', onError).off('close', onClose);
    };
  }

  /** Whether it can take an attempt. */
  get usable(): boolean {
    return !this.closed && !this.socket.destroyed && this.socket.writable;
  }

  /** Whether any byte of the request may have left. */
  private get hasSent(): boolean {
    return this.connected && this.unsent === '';
  }

  /** How long the server says that it keeps an idle connection, in seconds, or -1. */
  get keepAliveSeconds(): number {
    return this.parser.keepAliveSeconds;
  }

  /** Carries an attempt, now or as soon as it is connected. */
  send(attempt: Attempt): void {
    this.attempt = attempt;
    if (this.connected) this.transmit(attempt);
    else attempt.onConnecting(this);
  }

  write(chunk: Buffer | string): boolean {
    return typeof chunk === 'string'
      ? this.socket.write(chunk, 'latin1')
      : this.socket.write(chunk);
  }

  end(): void {
    this.requestComplete = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  abort(): void {
    this.attempt = undefined;
    this.close();
  }

  /** Destroys the socket; an attempt under way fails. */
  destroy(): void {
    this.onBroken('it was closed by this side');
  }

  flush(): void {
    const { unsent } = this;
    this.unsent = '';
    if (unsent !== '' && !this.closed) this.socket.write(unsent, 'latin1');
  }

  /** It was idle for too long. */
  override expire(): void {
    this.close();
  }

  onInformation(status: number, rawHeaders: string[]): void {
    this.attempt?.onInformation(status, rawHeaders);
  }

  onHead(status: number, rawHeaders: string[]): void {
    this.attempt?.onHead(status, rawHeaders);
  }

  onUpgrade(rawHeaders: string[], early: Buffer): void {
    const { attempt, socket } = this;
    if (attempt === undefined) return;
    this.attempt = undefined;
    this.closed = true;
    socket.pause();
    // Each side of a tunnel ends for itself.
    socket.allowHalfOpen = true;
    this.letGo();
    this.owner.onClosed(this);
    try {
      attempt.onUpgrade(rawHeaders, socket, early);
    } catch (error) {
      socket.on('error', () => {}).destroy();
      this.owner.onStrayError(error);
    }
  }

  onBody(chunk: Buffer): void {
    if (this.attempt === undefined || this.attempt.onBody(chunk) || this.closed) return;
    this.paused = true;
    this.socket.pause();
  }

  onEnd(trailers: string[] | undefined): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    this.attempt = undefined;
    this.served++;
    this.resume();
    // An answer that came before the end of its request leaves the rest of that request in the way of the next.
    if (this.parser.keepAlive && this.requestComplete && this.usable) this.owner.onIdle(this);
    else this.close();
    try {
      attempt.onEnd(trailers);
    } catch (error) {
      this.owner.onStrayError(error);
    }
  }

  onMalformed(reason: string): void {
    this.fail(new UpstreamProtocolError(this.owner.service, reason));
  }

  private onConnect(): void {
    this.connected = true;
    if (this.attempt !== undefined) this.transmit(this.attempt);
    else this.close();
  }

  private transmit(attempt: Attempt): void {
    this.received = false;
    // Where an upgrade was refused, the two sides might disagree on what comes next.
    this.requestComplete = !attempt.hasBody && !attempt.upgrades;
    this.parser.begin(attempt.method === 'HEAD', attempt.upgrades);
    try {
      const head = attempt.head();
      if (attempt.hasBody) return this.transmitWithBody(attempt, head);
      this.unsent = head;
      this.owner.flushes.add(this);
      attempt.onSent(this, this.served > 0);
    } catch (error) {
      this.fail(new CallHandlingError(this.owner.service, error));
    }
  }

  /** Head and the body that is there already leave in one packet. */
  private transmitWithBody(attempt: Attempt, head: string): void {
    this.socket.cork();
    this.socket.write(head, 'latin1');
    attempt.onSent(this, this.served > 0);
    this.socket.uncork();
  }

  private onData(bytes: Buffer): void {
    // Bytes nobody asked for could be taken for the answer to the next request.
    if (this.attempt === undefined) return this.close();
    if (this.unsent !== '') return this.onBroken('it answered before it was asked');
    this.received = true;
    try {
      this.parser.feed(bytes);
    } catch (error) {
      if (this.attempt === undefined) this.owner.onStrayError(error);
      this.fail(new CallHandlingError(this.owner.service, error));
    }
  }

  private onDrain(): void {
    try {
      this.attempt?.onDrain();
    } catch (error) {
      this.fail(new CallHandlingError(this.owner.service, error));
    }
  }

  private onFinish(): void {
    if (this.attempt === undefined) return this.close();
    if (this.parser.finish() === 'incomplete')
      this.onBroken('it was closed before the answer was complete');
  }

  private onError(error: Error): void {
    if (!this.closed) this.fail(connectionErrorOf(this.owner.service, error, this.hasSent));
  }

  private onBroken(reason: string): void {
    if (this.closed) return;
    this.fail(new UpstreamConnectionError(this.owner.service, reason, this.hasSent));
  }

  private fail(error: UpstreamError): void {
    const { attempt } = this;
    this.attempt = undefined;
    this.close();
    attempt?.onFailure(error, this.received);
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.socket.destroy();
    this.owner.onClosed(this);
  }
}

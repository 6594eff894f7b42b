import type { Socket } from 'node:net';
import { CORRELATION_HEADER, type RequestScope } from '../../common/request-context.js';
import type { Span } from '../../common/tracer.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { RequestSink, ResponseSource } from '../../upstream/upstream-call.js';
import { UpstreamCall } from '../../upstream/upstream-call.js';
import { CallCancelledError, type UpstreamError } from '../../upstream/upstream.errors.js';
import type { ProxiedRequest } from '../gateway.events.js';
import type { Route } from '../routes/route.js';
import { framed, LAST_CHUNK } from './chunks.js';
import type { ClientBound, ClientConnection } from './client-connection.js';
import type { DoorVisit } from './door-visit.js';
import { ExchangeDeadlines } from './exchange-deadlines.js';
import type { ExchangeOwner } from './exchange-owner.js';
import type { Framing } from './framing.js';
import { headerOf } from './headers.js';
import { CLIENT_GONE, type ProblemStatus, statusOf } from './problem-response.js';
import { isSafe } from './safe-methods.js';

/** Bodies up to this size leave in one write with their head. */
const SMALL = 4_096;

/**
 * One request on its way through the gateway: the client's side and the upstream's in one object, because each further
 * object for each request is felt.
 *
 * What is here is the same for all; how a client is read and written, its members know: by Node's request and response,
 * or by its bare socket.
 */
export abstract class Exchange extends UpstreamCall implements ClientBound, ProxiedRequest {
  override hasBody = false;
  override responseTimeout = 0;
  nextOnConnection: ClientBound | undefined = undefined;
  /** The path and query for the upstream. */
  target = '/';
  /** The public host. */
  host = '';
  /** The host for the upstream; empty for the endpoint's own. */
  upstreamHost = '';
  lines = '';
  framing: Framing = 'none';
  /** The most bytes of the request's body; 0 is without limit. */
  bodyLimit = 0;
  bodyBytes = 0;
  startedAt = 0;
  timeToFirstByte = -1;
  reason = '';
  duration = 0;
  /** What the client was answered; 0 while it was not. */
  status = 0;
  attempts = 0;
  endpoint: Endpoint | undefined = undefined;
  done = false;
  /** The call to an endpoint, where the request is recorded. */
  step: Span | undefined = undefined;
  /** What it was asked at the door of its route; undefined where there is none. */
  visit: DoorVisit | undefined = undefined;
  private waits: ExchangeDeadlines | undefined = undefined;
  private sink: RequestSink | undefined = undefined;
  private source: ResponseSource | undefined = undefined;
  protected problem: ProblemStatus | undefined = undefined;
  /** The length of a body that is to leave together with its head; -1 when it leaves as it comes. */
  private expected = -1;
  /** A head that is not written yet: an answer that breaks at once can still become a problem. */
  private held: string[] | undefined = undefined;
  private heldStatus = 0;
  private small = '';

  constructor(
    override readonly method: string,
    /** The target as the client wrote it. */
    readonly url: string,
    readonly route: Route,
    readonly connection: ClientConnection,
    readonly scope: RequestScope,
    protected readonly owner: ExchangeOwner,
  ) {
    super();
    this.responseTimeout = route.timeout;
    if (route.timeouts.idle !== undefined) this.idleTimeout = route.timeouts.idle;
    // Left undefined while all instances have the route, so that the pick has nothing to ask.
    if (route.accepts !== undefined) this.accepts = route.accepts;
  }

  /** The client's connection. */
  abstract readonly socket: Socket;
  /** Whether nobody is there to be answered any more. */
  abstract readonly isGone: boolean;
  /** Whether the head of an answer was written. */
  abstract readonly isBegun: boolean;
  /** Answers in place of the upstream, to which nothing was sent; the body's length is added. */
  abstract endWith(status: number, rawHeaders: string[], body: Buffer): void;
  /** The connection ends behind its answer. */
  abstract closeAfter(): void;
  /** The rest of the body cannot be read any more, so the connection must end with this answer. */
  abstract endConnection(): void;
  /** Lets the request's body flow, into `onRequestBytes` and `onRequestEnd`. */
  protected abstract pump(): void;
  abstract pauseBody(): void;
  abstract resumeBody(): void;
  /** Reads what nobody wants of the body, for a while. */
  protected abstract discard(): void;
  /** Writes a head; what makes it impossible is thrown. */
  protected abstract sendHead(status: number, rawHeaders: string[]): void;
  /** The head must not wait for a body. */
  protected abstract flush(): void;
  /** Writes a piece of the body; false asks to stop until `resume`. */
  protected abstract sendBody(chunk: Buffer): boolean;
  /** Ends the answer, perhaps with a whole small body as latin1. */
  protected abstract sendEnd(body: string, trailers: readonly string[] | undefined): void;
  protected abstract sendProblem(status: ProblemStatus): void;
  /** What was sent cannot be taken back, so the client must see that it is not whole. */
  protected abstract cutOff(): void;
  /** The answer is written, but not taken yet. */
  protected abstract awaitReader(): void;

  get deadlines(): ExchangeDeadlines {
    return (this.waits ??= new ExchangeDeadlines(this));
  }

  get upstream(): string {
    return this.route.to;
  }

  /** Sends it on its way. */
  start(): void {
    this.connection.add(this);
    this.begin();
  }

  /** Goes to the upstream. */
  begin(): void {
    this.route.upstream.dispatch(this);
  }

  /** Answers a problem in place of the upstream, or cuts the answer off if it has begun. */
  refuse(status: ProblemStatus): void {
    this.problem = status;
    if (this.attempt !== undefined) this.route.upstream.cancel(this);
    else if (!this.done) this.fail(status);
  }

  /** The client is gone. */
  abandon(): void {
    if (this.done) return;
    if (this.attempt === undefined) this.fail(502);
    else this.route.upstream.cancel(this);
  }

  override get replayable(): boolean {
    return this.bodyBytes === 0 && isSafe(this.method);
  }

  override head(endpoint: Endpoint): string {
    this.endpoint = endpoint;
    this.attempts++;
    const host = this.upstreamHost === '' ? endpoint.authority : this.upstreamHost;
    const lines = this.scope.span === undefined ? this.lines : this.owner.linesTo(this, endpoint);
    return `${this.method} ${this.target} HTTP/1.1\r\nhost: ${host}\r\n${lines}\r\n`;
  }

  override onConnected(sink: RequestSink): void {
    const again = this.sink !== undefined;
    this.sink = sink;
    if (again) return this.onDrain();
    this.deadlines.upload.await();
    this.pump();
  }

  override onDrain(): void {
    if (this.hasBody) this.deadlines.upload.await();
    this.resumeBody();
  }

  /** Bytes of the request's body have come. */
  onRequestBytes(chunk: Buffer): void {
    if (this.done) return;
    this.bodyBytes += chunk.length;
    if (this.bodyLimit > 0 && this.bodyBytes > this.bodyLimit) return this.refuse(413);
    const { upload } = this.deadlines;
    if (this.sink?.write(this.framing === 'chunked' ? framed(chunk) : chunk) ?? true)
      upload.onBytes();
    else upload.pause();
  }

  /** The request's body is complete. */
  onRequestEnd(): void {
    if (this.done) return;
    this.deadlines.upload.clear();
    if (this.framing === 'chunked') this.sink?.write(LAST_CHUNK);
    this.sink?.end();
  }

  override onHead(status: number, rawHeaders: string[], source: ResponseSource): void {
    this.timeToFirstByte = this.owner.now() - this.startedAt;
    this.source = source;
    this.heldStatus = status;
    this.held = rawHeaders;
    const length = Number(headerOf(rawHeaders, 'content-length') ?? Number.NaN);
    if (length <= SMALL && !this.hasBody) this.expected = length;
    else process.nextTick(flushHead, this);
  }

  override onBody(chunk: Buffer): boolean {
    if (this.isGone) return false;
    if (chunk.length === this.expected) {
      this.small = chunk.toString('latin1');
      return true;
    }
    this.expected = -1;
    if (!this.release()) {
      this.refuse(502);
      return false;
    }
    return this.sendBody(chunk);
  }

  /** The client takes bytes again. */
  resume(): void {
    this.waits?.onRead();
    this.source?.resume();
  }

  override onEnd(trailers: readonly string[] | undefined): void {
    if (!this.release()) return this.fail(502);
    if (!this.isGone) this.sendEnd(this.small, trailers);
    this.finish();
    if (this.socket.writableLength > 0) this.awaitReader();
  }

  override onError(error: UpstreamError): void {
    this.reason = error.message;
    if (this.isGone) this.status = CLIENT_GONE;
    else if (this.isBegun) this.cutOff();
    else if (this.problem !== undefined) this.tell(this.problem);
    else if (error instanceof CallCancelledError) this.status = CLIENT_GONE;
    else this.tell(statusOf(error));
    this.finish();
  }

  /** The head may be all that comes for a while, so it does not wait for the first bytes. */
  flushHead(): void {
    if (this.done || this.isGone) return;
    if (this.release()) this.flush();
    else this.refuse(502);
  }

  /** Writes the head, if it was held; false when it cannot be written. */
  private release(): boolean {
    const { held } = this;
    this.held = undefined;
    return held === undefined || this.writeHead(this.heldStatus, held);
  }

  protected writeHead(status: number, rawHeaders: string[]): boolean {
    if (status < 200 || status > 599) return false;
    // By it people find the request in the logs.
    if (headerOf(rawHeaders, CORRELATION_HEADER) === undefined)
      rawHeaders.push(CORRELATION_HEADER, this.scope.correlationId);
    this.visit?.dress(rawHeaders);
    try {
      // The upstream's reason phrase is not passed on: it says nothing, and could hold anything.
      this.sendHead(status, rawHeaders);
      this.status = status;
      return true;
    } catch {
      return false;
    }
  }

  /** Ends with a problem when the upstream has let go already. */
  protected fail(status: ProblemStatus): void {
    if (this.isGone) this.status = CLIENT_GONE;
    else this.tell(status);
    this.finish();
  }

  protected tell(status: ProblemStatus): void {
    this.status = status;
    this.sendProblem(status);
  }

  protected clearDeadlines(): void {
    this.waits?.clear();
  }

  protected finish(): void {
    if (this.done) return;
    this.done = true;
    this.connection.remove(this);
    this.clearDeadlines();
    if (this.hasBody) this.discard();
    this.visit?.left();
    this.owner.onFinished(this);
  }
}
function flushHead(exchange: Exchange): void {
  exchange.flushHead();
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { CORRELATION_HEADER, type RequestScope } from '../../common/request-context.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { RequestSink, ResponseSource } from '../../upstream/upstream-call.js';
import { UpstreamCall } from '../../upstream/upstream-call.js';
import { CallCancelledError, type UpstreamError } from '../../upstream/upstream.errors.js';
import type { Route } from '../routes/route.js';
import { discardBody } from './body-remainder.js';
import type { ClientBound, ClientConnection } from './client-connection.js';
import { sendEarlyHints } from './early-hints.js';
import { ExchangeDeadlines } from './exchange-deadlines.js';
import type { Framing } from './framing.js';
import { headerOf } from './headers.js';
import { type ProblemStatus, sendProblem, statusOf } from './problem-response.js';
import { pumpBody } from './request-pump.js';
import { endSmall } from './response-end.js';
import { isSafe } from './safe-methods.js';
import { sendTrailers } from './response-trailers.js';
import { whenDrained } from './response-drain.js';

/** Bodies up to this size leave in one write with their head. */
const SMALL = 4_096;

/** What nginx calls a client that closed the connection before its answer came; only logs see it. */
export const CLIENT_GONE = 499;

/** Who is told when an exchange is over. */
export interface ExchangeOwner {
  onFinished(exchange: Exchange): void;
  /** A filter of a route threw, or forgot its request. */
  onFilterFailed(route: Route, error: unknown): void;
  /** The route of an id, of now. */
  routeOf(id: string): Route | undefined;
  /** Does something after a delay in ms. */
  after(delay: number, task: () => void): void;
}

/**
 * One request on its way through the gateway: the client's side and the upstream's in one object, because each further
 * object for each request is felt.
 */
export class Exchange extends UpstreamCall implements ClientBound {
  override readonly method: string;
  override hasBody = false;
  override responseTimeout = 0;
  nextOnConnection: ClientBound | undefined = undefined;
  /** The path and query for the upstream. */
  target = '/';
  /** The public host. */
  host = '';
  /** The host for the upstream; empty for the endpoint's own. */
  upstreamHost = '';
  /** The header lines for the upstream. */
  lines = '';
  framing: Framing = 'none';
  /** The most bytes of the request's body; 0 is without limit. */
  bodyLimit = 0;
  bodyBytes = 0;
  startedAt = 0;
  /** What the client was answered; 0 while it was not. */
  status = 0;
  attempts = 0;
  endpoint: Endpoint | undefined = undefined;
  done = false;
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
  private delimited = true;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly route: Route,
    readonly connection: ClientConnection,
    readonly scope: RequestScope,
    protected readonly owner: ExchangeOwner,
  ) {
    super();
    this.method = request.method ?? 'GET';
    this.responseTimeout = route.timeout;
    if (route.timeouts.idle !== undefined) this.idleTimeout = route.timeouts.idle;
    // Left undefined while all instances have the route, so that the pick has nothing to ask.
    if (route.accepts !== undefined) this.accepts = route.accepts;
  }

  get deadlines(): ExchangeDeadlines {
    return (this.waits ??= new ExchangeDeadlines(this));
  }

  /** The connection ends behind its answer. */
  closeAfter(): void {
    this.response.shouldKeepAlive = false;
    this.response.once('finish', () => this.request.socket.destroySoon());
    // What cannot be read is the rest of this very request.
    if (!this.request.complete) this.refuse(400);
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

  /** Answers in place of the upstream, to which nothing was sent; the body's length is added. */
  endWith(status: number, rawHeaders: string[], body: Buffer): void {
    const { response } = this;
    if (this.done) return;
    const bodiless = status === 204 || status === 304;
    if (!bodiless) rawHeaders.push('content-length', String(body.length));
    if (response.destroyed) this.status = CLIENT_GONE;
    else if (this.writeHead(status, rawHeaders)) response.end(bodiless ? undefined : body);
    else response.destroy();
    this.finish();
  }

  /** The client is gone. */
  abandon(): void {
    if (!this.done) this.route.upstream.cancel(this);
  }

  override get replayable(): boolean {
    return this.bodyBytes === 0 && isSafe(this.method);
  }

  override head(endpoint: Endpoint): string {
    this.endpoint = endpoint;
    this.attempts++;
    const host = this.upstreamHost === '' ? endpoint.authority : this.upstreamHost;
    return `${this.method} ${this.target} HTTP/1.1\r\nhost: ${host}\r\n${this.lines}\r\n`;
  }

  override onConnected(sink: RequestSink): void {
    const isFirst = this.sink === undefined;
    this.sink = sink;
    if (isFirst) pumpBody(this);
    else this.onDrain();
  }

  override onDrain(): void {
    if (this.hasBody) this.deadlines.upload.await();
    this.request.resume();
  }

  /** Bytes of the request's body, framed; false asks to stop. */
  send(bytes: Buffer): boolean {
    return this.sink?.write(bytes) ?? true;
  }

  /** The request's body is complete. */
  sent(): void {
    this.sink?.end();
  }

  override onInformation(status: number, rawHeaders: readonly string[]): void {
    if (status === 103) sendEarlyHints(this.response, rawHeaders);
  }

  override onHead(status: number, rawHeaders: string[], source: ResponseSource): void {
    this.source = source;
    this.heldStatus = status;
    this.held = rawHeaders;
    const length = Number(headerOf(rawHeaders, 'content-length') ?? Number.NaN);
    // To HTTP/1.0 an answer without a length ends with the connection.
    this.delimited = this.request.httpVersionMinor === 1 || length >= 0;
    if (length <= SMALL && !this.hasBody) this.expected = length;
    else process.nextTick(flushHead, this);
  }

  override onBody(chunk: Buffer): boolean {
    const { response } = this;
    if (response.destroyed) return false;
    if (chunk.length === this.expected) {
      this.small = chunk.toString('latin1');
      return true;
    }
    this.expected = -1;
    if (!this.release()) {
      this.refuse(502);
      return false;
    }
    if (response.write(chunk)) return true;
    whenDrained(this);
    // Behind an answer that is not over yet, it is not this client's turn to read.
    if (response.socket !== null) this.deadlines.reader.await();
    return false;
  }

  /** The client takes bytes again. */
  resume(): void {
    this.waits?.onRead();
    this.source?.resume();
  }

  override onEnd(trailers: readonly string[] | undefined): void {
    const { response } = this;
    if (!this.release()) return this.fail(502);
    if (trailers !== undefined) sendTrailers(this.request, response, trailers);
    if (!response.destroyed) endSmall(response, this.small);
    this.finish();
    if ((response.socket?.writableLength ?? 0) > 0) this.deadlines.reader.awaitEnd(response);
  }

  override onError(error: UpstreamError): void {
    if (this.response.destroyed) this.status = CLIENT_GONE;
    else if (this.response.headersSent) this.cutOff();
    else if (this.problem !== undefined) this.tell(this.problem);
    else if (error instanceof CallCancelledError) this.status = CLIENT_GONE;
    else this.tell(statusOf(error));
    this.finish();
  }

  /** The head may be all that comes for a while, so it does not wait for the first bytes. */
  flushHead(): void {
    if (this.done || this.response.destroyed) return;
    if (this.release()) this.response.flushHeaders();
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
    if (headerOf(rawHeaders, CORRELATION_HEADER) === undefined) {
      rawHeaders.push(CORRELATION_HEADER, this.scope.correlationId);
    }
    try {
      // The upstream's reason phrase is not passed on: it says nothing, and could hold anything.
      this.response.writeHead(status, rawHeaders);
      this.status = status;
      return true;
    } catch {
      return false;
    }
  }

  /** Ends with a problem when the upstream has let go already. */
  protected fail(status: ProblemStatus): void {
    if (this.response.destroyed) this.status = CLIENT_GONE;
    else this.tell(status);
    this.finish();
  }

  /** Tells a problem in place of an answer. */
  protected tell(status: ProblemStatus): void {
    this.status = status;
    sendProblem(this.response, { status, requestId: this.scope.correlationId });
  }

  /** What was sent cannot be taken back, so the client must see that it is not whole. */
  private cutOff(): void {
    const { socket } = this.request;
    if (this.delimited) socket.destroy();
    // Without a length or chunks, only a reset tells a break from the end.
    else socket.resetAndDestroy();
  }

  /** Ends what waits for this exchange. */
  protected clearDeadlines(): void {
    this.waits?.clear();
  }

  protected finish(): void {
    if (this.done) return;
    this.done = true;
    this.connection.remove(this);
    this.clearDeadlines();
    if (this.hasBody) discardBody(this.request);
    this.owner.onFinished(this);
  }
}

function flushHead(exchange: Exchange): void {
  exchange.flushHead();
}

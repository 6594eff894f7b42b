import type { IncomingMessage, ServerResponse } from 'node:http';
import { CORRELATION_HEADER, type RequestScope } from '../../common/request-context.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { RequestSink, ResponseSource } from '../../upstream/upstream-call.js';
import { UpstreamCall } from '../../upstream/upstream-call.js';
import { CallCancelledError, type UpstreamError } from '../../upstream/upstream.errors.js';
import type { Route } from '../routes/route.js';
import { discardBody } from './body-remainder.js';
import type { ClientBound, ClientConnection } from './client-connection.js';
import type { Framing } from './framing.js';
import { headerOf } from './headers.js';
import { type ProblemStatus, sendProblem } from './problem-response.js';
import { pumpBody } from './request-pump.js';
import { whenDrained } from './response-drain.js';

/** Bodies up to this size leave in one write with their head. */
const SMALL = 4_096;

/** What nginx calls a client that closed the connection before its answer came; only logs see it. */
const CLIENT_GONE = 499;

/** Who is told when an exchange is over. */
export interface ExchangeOwner {
  onFinished(exchange: Exchange): void;
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
  private sink: RequestSink | undefined = undefined;
  private source: ResponseSource | undefined = undefined;
  private problem: ProblemStatus | undefined = undefined;
  /** The length of a body that is to leave together with its head; -1 when it leaves as it comes. */
  private expected = -1;
  private small = '';
  private delimited = true;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly route: Route,
    readonly connection: ClientConnection,
    readonly scope: RequestScope,
    private readonly owner: ExchangeOwner,
  ) {
    super();
    this.method = request.method ?? 'GET';
    this.responseTimeout = route.timeout;
    // Left undefined while all instances have the route, so that the pick has nothing to ask.
    if (route.accepts !== undefined) this.accepts = route.accepts;
  }

  /** Sends it on its way. */
  start(): void {
    this.connection.add(this);
    this.route.upstream.dispatch(this);
  }

  /** Answers a problem in place of the upstream, or cuts the answer off if it has begun. */
  refuse(status: ProblemStatus): void {
    this.problem = status;
    this.route.upstream.cancel(this);
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
    const host = this.route.keepHost ? this.host : endpoint.authority;
    return `${this.method} ${this.target} HTTP/1.1\r\nhost: ${host}\r\n${this.lines}\r\n`;
  }

  override onConnected(sink: RequestSink): void {
    const isFirst = this.sink === undefined;
    this.sink = sink;
    if (isFirst) pumpBody(this);
    else this.request.resume();
  }

  override onDrain(): void {
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

  override onHead(status: number, rawHeaders: string[], source: ResponseSource): void {
    this.source = source;
    if (!this.writeHead(status, rawHeaders)) return this.refuse(502);
    const length = Number(headerOf(rawHeaders, 'content-length') ?? Number.NaN);
    // To HTTP/1.0 an answer without a length ends with the connection.
    this.delimited = this.request.httpVersionMinor === 1 || length >= 0;
    if (length <= SMALL && !this.hasBody) this.expected = length;
    // A stream's head may be all that comes for a while, so it does not wait for the first bytes.
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
    if (response.write(chunk)) return true;
    whenDrained(this);
    return false;
  }

  /** The client takes bytes again. */
  resume(): void {
    this.source?.resume();
  }

  override onEnd(): void {
    const { response } = this;
    if (!response.destroyed) response.end(this.small, 'latin1');
    this.finish();
  }

  override onError(error: UpstreamError): void {
    if (this.response.destroyed) this.status = CLIENT_GONE;
    else if (this.response.headersSent) this.cutOff();
    else if (this.problem !== undefined) this.answer(this.problem);
    else if (error instanceof CallCancelledError) this.status = CLIENT_GONE;
    else this.answer(statusOf(error));
    this.finish();
  }

  private writeHead(status: number, rawHeaders: string[]): boolean {
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

  private answer(status: ProblemStatus): void {
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

  private finish(): void {
    if (this.done) return;
    this.done = true;
    this.connection.remove(this);
    if (this.hasBody) discardBody(this.request);
    this.owner.onFinished(this);
  }
}

function flushHead(exchange: Exchange): void {
  if (!exchange.done && !exchange.response.destroyed) exchange.response.flushHeaders();
}

/** Idempotent methods that change nothing (RFC 9110, 9.2.1): PUT and DELETE twice can undo what others did in between. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

function statusOf(error: UpstreamError): ProblemStatus {
  return error.statusCode === 503 || error.statusCode === 504 ? error.statusCode : 502;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestScope } from '../../common/request-context.js';
import type { Route } from '../routes/route.js';
import { discardBody } from './body-remainder.js';
import type { ClientConnection } from './client-connection.js';
import { sendEarlyHints } from './early-hints.js';
import { Exchange } from './exchange.js';
import type { ExchangeOwner } from './exchange-owner.js';
import { headerOf } from './headers.js';
import { CLIENT_GONE, type ProblemStatus, sendProblem } from './problem-response.js';
import { pumpBody } from './request-pump.js';
import { whenDrained } from './response-drain.js';
import { endSmall } from './response-end.js';
import { sendTrailers } from './response-trailers.js';

/** An exchange whose client is read and answered by Node's request and response. */
export class NodeExchange extends Exchange {
  /** Whether the client can tell the end of its answer from a break. */
  private delimited = true;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    route: Route,
    connection: ClientConnection,
    scope: RequestScope,
    owner: ExchangeOwner,
  ) {
    super(request.method ?? 'GET', request.url ?? '', route, connection, scope, owner);
  }

  override get socket(): Socket {
    return this.request.socket;
  }

  override get isGone(): boolean {
    return this.response.destroyed;
  }

  override get isBegun(): boolean {
    return this.response.headersSent;
  }

  override closeAfter(): void {
    this.endConnection();
    this.response.once('finish', () => this.request.socket.destroySoon());
    // What cannot be read is the rest of this very request.
    if (!this.request.complete) this.refuse(400);
  }

  override endConnection(): void {
    this.response.shouldKeepAlive = false;
  }

  override endWith(status: number, rawHeaders: string[], body: Buffer): void {
    const { response } = this;
    if (this.done) return;
    const bodiless = status === 204 || status === 304;
    if (!bodiless) rawHeaders.push('content-length', String(body.length));
    if (response.destroyed) this.status = CLIENT_GONE;
    else if (this.writeHead(status, rawHeaders)) response.end(bodiless ? undefined : body);
    else response.destroy();
    this.finish();
  }

  override pauseBody(): void {
    this.request.pause();
  }

  override resumeBody(): void {
    this.request.resume();
  }

  override onInformation(status: number, rawHeaders: readonly string[]): void {
    if (status === 103) sendEarlyHints(this.response, rawHeaders);
  }

  protected override pump(): void {
    pumpBody(this);
  }

  protected override discard(): void {
    discardBody(this.request);
  }

  protected override sendHead(status: number, rawHeaders: string[]): void {
    this.response.writeHead(status, rawHeaders);
    // To HTTP/1.0 an answer without a length ends with the connection.
    this.delimited =
      this.request.httpVersionMinor === 1 || headerOf(rawHeaders, 'content-length') !== undefined;
  }

  protected override flush(): void {
    this.response.flushHeaders();
  }

  protected override sendBody(chunk: Buffer): boolean {
    const { response } = this;
    if (response.write(chunk)) return true;
    whenDrained(this);
    // Behind an answer that is not over yet, it is not this client's turn to read.
    if (response.socket !== null) this.deadlines.reader.await();
    return false;
  }

  protected override sendEnd(body: string, trailers: readonly string[] | undefined): void {
    if (trailers !== undefined) sendTrailers(this.request, this.response, trailers);
    endSmall(this.response, body);
  }

  protected override sendProblem(status: ProblemStatus): void {
    sendProblem(this.response, { status, requestId: this.scope.correlationId });
  }

  protected override cutOff(): void {
    const { socket } = this.request;
    if (this.delimited) socket.destroy();
    // Without a length or chunks, only a reset tells a break from the end.
    else socket.resetAndDestroy();
  }

  protected override awaitReader(): void {
    if (this.response.socket !== null) this.deadlines.reader.awaitEnd(this.response);
  }
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RequestContext, type RequestScope } from './request-context.js';

/** Sees every request before anyone else, and leaves it alone. */
export type RequestObserver = (request: IncomingMessage, response: ServerResponse) => void;

/** Sees a request that goes on to Nest, with its place among others. */
export type OwnRequestObserver = (
  request: IncomingMessage,
  response: ServerResponse,
  scope: RequestScope,
) => void;

/** Answers a request itself and returns true, or leaves it to the next and returns false. */
export type RequestTaker = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Requests that are answered past the server's `request` event, for whoever must wait for all that are open. */
export interface RequestsBeside {
  /** How many are under way. */
  readonly open: number;
  /** From now on every answer ends its connection, and connections without a request are closed. */
  hangUp(): void;
}

/** What an observer wants to see. */
export interface ObserverOptions {
  /**
   * Whether it wants every request as Node has it. With `false` it sees those that come by the `request` event, and the
   * gateway may lead others past it, which is faster. @default true
   */
  readonly every?: boolean;
}

/** What a taker takes. */
export interface TakerOptions {
  /** Whether all paths that it answers are listed among the application's own, so that no route has them. @default false */
  readonly listed?: boolean;
  /** How every target that it answers begins, as it is written. @default anyhow */
  readonly below?: string;
}

/**
 * Our place on the HTTP server: its own `request` event, ahead of Nest, its middleware and its body parsers.
 *
 * Observers see every request; then the first taker that wants it has it; what is left goes on to Nest, inside of
 * its request context. It is the same on Express and Fastify, because both put exactly one listener on the server.
 */
@Injectable()
export class RequestListener implements OnApplicationBootstrap {
  private readonly observers: RequestObserver[] = [];
  private readonly takers: RequestTaker[] = [];
  private readonly placed = new Set<RequestTaker>();
  private readonly places: string[] = [];
  private every = false;
  /** The requests that do not come by this event, where there are such. */
  beside: RequestsBeside | undefined;
  private readonly ownObservers: OwnRequestObserver[] = [];

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly context: RequestContext,
  ) {}

  /** Whether an observer wants to see every request as Node has it. */
  get seesEvery(): boolean {
    return this.every;
  }

  /** Lets someone see requests. Call it before the application has started. */
  observe(observer: RequestObserver, { every = true }: ObserverOptions = {}): void {
    this.observers.push(observer);
    this.every ||= every;
  }

  /** Lets someone answer requests ahead of Nest. Call it before the application has started. */
  take(taker: RequestTaker, options: TakerOptions = {}): void {
    this.takers.push(taker);
    this.place(taker, options);
  }

  /** Lets someone answer requests ahead of everyone else who may. Call it before the application has started. */
  takeFirst(taker: RequestTaker, options: TakerOptions = {}): void {
    this.takers.unshift(taker);
    this.place(taker, options);
  }

  /** Whether a taker is asked first, but for those who have said what they take. */
  isFirst(taker: RequestTaker): boolean {
    return this.takers.find((each) => !this.placed.has(each)) === taker;
  }

  /** Whether a target may be for a taker who has said how those begin that it answers. */
  hasPlace(target: string): boolean {
    for (const place of this.places) if (target.startsWith(place)) return true;
    return false;
  }

  /** Lets someone see the requests that nobody takes, before Nest does. Call it before the application has started. */
  observeOwn(observer: OwnRequestObserver): void {
    this.ownObservers.push(observer);
  }

  /** The HTTP server, or `undefined` in an application without one. */
  get server(): Server | undefined {
    // A microservice or a bare application context has no adapter.
    return this.host?.httpAdapter?.getHttpServer() as Server | undefined;
  }

  onApplicationBootstrap(): void {
    const server = this.server;
    if (!server) return;
    const nest = server.listeners('request') as RequestObserver[];
    server.removeAllListeners('request');
    server.on('request', (request, response) => this.deliver(server, nest, request, response));
  }

  private place(taker: RequestTaker, { listed = false, below }: TakerOptions): void {
    if (below !== undefined) this.places.push(below);
    if (listed || below !== undefined) this.placed.add(taker);
  }

  private deliver(
    server: Server,
    nest: readonly RequestObserver[],
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    for (const observe of this.observers) observe(request, response);
    for (const take of this.takers) if (take(request, response)) return;
    const scope = this.context.open(request.headers);
    for (const observe of this.ownObservers) observe(request, response, scope);
    // Whoever gave up waiting would only be answered in vain.
    if (this.context.isLate(scope)) return refuseLate(request, response, scope.correlationId);
    if (scope.deadline !== undefined) this.watchEnd(response, scope);
    this.context.run(scope, () => {
      for (const listener of nest) listener.call(server, request, response);
    });
  }

  /** A caller that hangs up takes all with it that is done for it. */
  private watchEnd(response: ServerResponse, scope: RequestScope): void {
    response.once('close', () => this.context.end(scope, response.writableFinished));
  }
}

/** Answers a request whose caller has given up already, as a problem (RFC 9457). */
function refuseLate(request: IncomingMessage, response: ServerResponse, requestId: string): void {
  const body = JSON.stringify({
    type: 'about:blank',
    title: 'Gateway Timeout',
    status: 504,
    detail: 'The time that the caller waits was over before the request came.',
    requestId,
  });
  response.writeHead(504, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
  request.resume();
}

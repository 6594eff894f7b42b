import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Clock } from '../../common/clock.js';
import type { RequestScope } from '../../common/request-context.js';
import { RequestListener } from '../../common/request-listener.js';
import { RouteTemplates, UNMATCHED } from './route-templates.js';

/** A request that Nest has handled; times in ms. */
export interface OwnRequest {
  readonly request: IncomingMessage;
  readonly scope: RequestScope;
  /** The route as it was written, or `unmatched`. */
  readonly route: string;
  /** What was answered; 499 when the client had gone. */
  readonly status: number;
  /** When it came, as the clock counts. */
  readonly startedAt: number;
  readonly duration: number;
}

type Listener = (request: OwnRequest) => void;

/** What nginx calls a client that closed the connection before its answer came. */
const CLIENT_GONE = 499;

/** Tells of each request that Nest has handled, when its answer is complete or its client is gone. */
@Injectable()
export class OwnRequests implements OnModuleInit {
  private readonly listeners: Listener[] = [];
  private readonly templates = new RouteTemplates();
  private isFollowed = false;

  constructor(
    private readonly listener: RequestListener,
    private readonly host: HttpAdapterHost,
    private readonly clock: Clock,
  ) {}

  /** Hears of every request. Call it before the application has started; without listeners nothing is looked at. */
  onEnded(listener: Listener): void {
    if (this.listeners.length === 0) {
      this.listener.observeOwn((request, response, scope) => this.watch(request, response, scope));
    }
    this.listeners.push(listener);
  }

  /** The route of a request that is being handled, once it is known; from now on it is kept for each request. */
  followRoutes(): (scope: RequestScope) => string | undefined {
    const byScope = new WeakMap<RequestScope, IncomingMessage>();
    this.isFollowed = true;
    this.listener.observeOwn((request, _response, scope) => byScope.set(scope, request));
    return (scope) => {
      const request = byScope.get(scope);
      const route = request && this.templates.of(request);
      return route === UNMATCHED ? undefined : route;
    };
  }

  onModuleInit(): void {
    const adapter = this.host?.httpAdapter;
    if (adapter && (this.isFollowed || this.listeners.length > 0))
      this.templates.follow(adapter.getInstance());
  }

  private watch(request: IncomingMessage, response: ServerResponse, scope: RequestScope): void {
    const startedAt = this.clock.now();
    response.once('close', () => {
      const ended = {
        request,
        scope,
        startedAt,
        route: this.templates.of(request),
        status: response.writableFinished ? response.statusCode : CLIENT_GONE,
        duration: this.clock.now() - startedAt,
      };
      for (const hear of this.listeners) hear(ended);
    });
  }
}

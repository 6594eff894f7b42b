import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Clock } from '../../common/clock.js';
import type { RequestScope } from '../../common/request-context.js';
import { RequestListener } from '../../common/request-listener.js';
import { RouteTemplates } from './route-templates.js';

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

  onModuleInit(): void {
    const adapter = this.host?.httpAdapter;
    if (adapter && this.listeners.length > 0) this.templates.follow(adapter.getInstance());
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

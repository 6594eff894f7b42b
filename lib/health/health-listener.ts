import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { RequestListener } from '../common/request-listener.js';
import { DetailsVisibility } from './details-visibility.js';
import { HealthAnswers, HTTP_STATUS } from './health-answers.js';
import { type ProbeAnswer, ProbeAnswers } from './probe-answers.js';

/** Where the path of the endpoints is injected. */
export const HEALTH_PATH = Symbol('HEALTH_PATH');

/**
 * Answers probes ahead of Nest, because they come all the time: from memory, without middleware, guards or interceptors.
 *
 * What is written in another way, such as with a slash at the end, goes on to the controller, which answers the same.
 */
@Injectable()
export class HealthListener implements OnApplicationBootstrap {
  private base: string | undefined;

  constructor(
    private readonly probes: ProbeAnswers,
    private readonly answers: HealthAnswers,
    private readonly visibility: DetailsVisibility,
    private readonly config: ApplicationConfig,
    @Inject(HEALTH_PATH) private readonly path: string,
    listener: RequestListener,
  ) {
    // The controller has the same paths.
    listener.takeFirst((request, response) => this.take(request, response), { listed: true });
  }

  onApplicationBootstrap(): void {
    // Which paths an exception of the prefix means is Nest's affair.
    if ((this.config.getGlobalPrefixOptions().exclude ?? []).length > 0) return;
    const parts = `${this.config.getGlobalPrefix()}/${this.path}`.split('/').filter(Boolean);
    this.base = `/${parts.join('/')}`;
  }

  private take(request: IncomingMessage, response: ServerResponse): boolean {
    const { base } = this;
    const { url = '', method } = request;
    if (base === undefined || !url.startsWith(base)) return false;
    if (method !== 'GET' && method !== 'HEAD') return false;
    const rest = url.slice(base.length);
    const answer = this.probes.of(rest, request) ?? this.other(rest, request);
    if (answer === undefined) return false;
    const { status, body } = answer;
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(body),
    });
    response.end(method === 'HEAD' ? undefined : body);
    return true;
  }

  /** A group of the application's own, or another service. */
  private other(rest: string, request: IncomingMessage): ProbeAnswer | undefined {
    if (!/^\/[\w-]+$/.test(rest)) return undefined;
    const answer = this.answers.of(rest.slice(1));
    const body = JSON.stringify(this.visibility.shown(answer, request));
    return { status: HTTP_STATUS[answer.status], body };
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { RequestListener } from '../common/request-listener.js';
import { DetailsVisibility } from './details-visibility.js';
import { type HealthAnswer, HealthAnswers, HTTP_STATUS } from './health-answers.js';

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
    const answer = this.find(url.slice(base.length));
    if (answer === undefined) return false;
    const body = JSON.stringify(this.visibility.shown(answer, request));
    response.writeHead(HTTP_STATUS[answer.status], {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(body),
    });
    response.end(method === 'HEAD' ? undefined : body);
    return true;
  }

  private find(rest: string): HealthAnswer | undefined {
    if (rest === '') return this.answers.overall();
    if (rest === '/live') return this.answers.live();
    if (rest === '/ready') return this.answers.ready();
    if (rest === '/startup') return this.answers.startup();
    return /^\/[\w-]+$/.test(rest) ? this.answers.of(rest.slice(1)) : undefined;
  }
}

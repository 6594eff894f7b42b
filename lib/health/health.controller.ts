import type { IncomingMessage } from 'node:http';
import {
  Controller,
  Get,
  Header,
  Inject,
  Param,
  Req,
  Res,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AllowDirect } from '../common/allow-direct.decorator.js';
import { seesDetails } from './details-visibility.js';
import { type HealthAnswer, HealthAnswers, HTTP_STATUS } from './health-answers.js';
import { HEALTH_SETTINGS, type HealthSettings } from './health.options.js';

/** Express gives Node's own request, Fastify its wrapper around it. */
type AnyRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** The health endpoints; GET and HEAD, never cached, in every version of the API. */
export class HealthController {
  constructor(
    private readonly answers: HealthAnswers,
    private readonly host: HttpAdapterHost,
    @Inject(HEALTH_SETTINGS) private readonly settings: HealthSettings,
  ) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  overall(@Req() request: AnyRequest, @Res({ passthrough: true }) response: unknown): HealthAnswer {
    return this.say(this.answers.overall(), request, response);
  }

  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(@Req() request: AnyRequest, @Res({ passthrough: true }) response: unknown): HealthAnswer {
    return this.say(this.answers.live(), request, response);
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  ready(@Req() request: AnyRequest, @Res({ passthrough: true }) response: unknown): HealthAnswer {
    return this.say(this.answers.ready(), request, response);
  }

  @Get(':service')
  @Header('Cache-Control', 'no-store')
  service(
    @Param('service') service: string,
    @Req() request: AnyRequest,
    @Res({ passthrough: true }) response: unknown,
  ): HealthAnswer {
    return this.say(this.answers.of(service), request, response);
  }

  private say(answer: HealthAnswer, request: AnyRequest, response: unknown): HealthAnswer {
    this.host.httpAdapter.status(response, HTTP_STATUS[answer.status]);
    const raw = 'raw' in request ? request.raw : request;
    if (seesDetails(this.settings.details, raw)) return answer;
    const { service, status, timestamp } = answer;
    return { service, status, timestamp };
  }
}

/** The endpoints below a path; a class of its own for each application, because Nest keeps the path on the class. */
export function healthControllerAt(path: string): Type<HealthController> {
  @AllowDirect()
  @Controller({ path, version: VERSION_NEUTRAL })
  class HealthControllerAtPath extends HealthController {}
  return HealthControllerAtPath;
}

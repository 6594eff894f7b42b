import type { IncomingMessage } from 'node:http';
import {
  Controller,
  Get,
  Header,
  Injectable,
  Param,
  Req,
  Res,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AllowDirect } from '../common/allow-direct.decorator.js';
import { DetailsVisibility } from './details-visibility.js';
import { type HealthAnswer, HealthAnswers, HTTP_STATUS } from './health-answers.js';

/** Express gives Node's own request, Fastify its wrapper around it. */
type AnyRequest = IncomingMessage | { readonly raw: IncomingMessage };

/** The health endpoints; GET and HEAD, never cached, in every version of the API. */
@Injectable()
export class HealthController {
  constructor(
    private readonly answers: HealthAnswers,
    private readonly host: HttpAdapterHost,
    private readonly visibility: DetailsVisibility,
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

  @Get('startup')
  @Header('Cache-Control', 'no-store')
  startup(@Req() request: AnyRequest, @Res({ passthrough: true }) response: unknown): HealthAnswer {
    return this.say(this.answers.startup(), request, response);
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
    return this.visibility.shown(answer, raw);
  }
}

/** The endpoints below a path; a class of its own for each application, because Nest keeps the path on the class. */
export function healthControllerAt(path: string): Type<HealthController> {
  @AllowDirect()
  @Controller({ path, version: VERSION_NEUTRAL })
  class HealthControllerAtPath extends HealthController {}
  return HealthControllerAtPath;
}

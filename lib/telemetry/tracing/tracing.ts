import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { EventHub } from '../../common/event-hub.js';
import { RequestContext } from '../../common/request-context.js';
import type { SpanAttributes } from '../../common/tracer.js';
import type { ProxiedRequest } from '../../gateway/gateway.events.js';
import { knownMethod } from '../requests/http-method.js';
import { type OwnRequest, OwnRequests } from '../requests/own-requests.js';
import { UNMATCHED } from '../requests/route-templates.js';
import { TELEMETRY_SETTINGS, type TelemetrySettings } from '../telemetry.options.js';
import { OpenTelemetryTracer } from './open-telemetry.js';

/**
 * Makes spans of requests and calls when OpenTelemetry's SDK is there; attributes are those of its stable conventions for
 * HTTP.
 *
 * The SDK is registered before the application is made, as its documents say.
 */
@Injectable()
export class Tracing implements OnModuleInit {
  constructor(
    private readonly context: RequestContext,
    private readonly events: EventHub,
    private readonly requests: OwnRequests,
    @Inject(TELEMETRY_SETTINGS) private readonly settings: TelemetrySettings,
  ) {}

  async onModuleInit(): Promise<void> {
    const tracer = this.settings.tracing ? await OpenTelemetryTracer.find() : undefined;
    if (!tracer) return;
    this.context.traceWith(tracer);
    this.requests.onEnded((request) => endOwn(request));
    this.events.on('request.proxied', (request) => endProxied(request));
  }
}

function endOwn({ request, scope, route, status }: OwnRequest): void {
  const method = knownMethod(request.method ?? 'GET');
  scope.span?.end({
    name: route === UNMATCHED ? method : `${method} ${route}`,
    attributes: {
      ...described(method, request.url ?? '/', status),
      ...(route === UNMATCHED ? {} : { 'http.route': route }),
    },
    ...failureOf(status),
  });
}

function endProxied({
  method,
  url,
  scope,
  route,
  status,
  upstream,
  endpoint,
  attempts,
}: ProxiedRequest): void {
  const known = knownMethod(method);
  scope.span?.end({
    name: `${known} ${route.path}`,
    attributes: {
      ...described(known, url, status),
      'http.route': route.path,
      'rookery.route.id': route.id,
      'rookery.upstream': upstream,
      'rookery.attempts': attempts,
      ...(endpoint && { 'rookery.upstream.instance': endpoint.instance.id }),
    },
    ...failureOf(status),
  });
}

/** The query stays out: it may hold secrets. */
function described(method: string, url: string, status: number): SpanAttributes {
  return {
    'http.request.method': method,
    'http.response.status_code': status,
    'url.path': url.split('?', 1)[0] ?? '/',
    'url.scheme': 'http',
  };
}

/** To a server, a 4xx is its caller's mistake and no error of its own (semantic conventions, HTTP spans, Status). */
function failureOf(status: number): { readonly error?: string } {
  return status >= 500 ? { error: String(status) } : {};
}

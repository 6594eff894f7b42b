import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import {
  CORRELATION_HEADER,
  RequestContext,
  type RequestScope,
} from '../../common/request-context.js';
import { formatTraceparent } from '../../common/trace-context.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { GatewayRoutes } from '../gateway-routes.js';
import type { RouteEntry } from '../routes/route-table.js';
import type { Route } from '../routes/route.js';
import { AccessLog } from './access-log.js';
import { discardBody } from './body-remainder.js';
import { ClientConnection } from './client-connection.js';
import { Exchange, type ExchangeOwner } from './exchange.js';
import { RequestFraming } from './framing.js';
import { headerOf, requestLines } from './headers.js';
import { RequestTarget } from './path.js';
import { type ProblemStatus, sendProblem } from './problem-response.js';
import { trustedProxies } from './trusted-proxies.js';

/** Takes the requests that a route matches, and leads them to their upstream. */
@Injectable()
export class HttpProxy implements ExchangeOwner {
  // Both are read at once for each request, so one of each is enough.
  private readonly target: RequestTarget;
  private readonly framing = new RequestFraming();
  private readonly isTrusted: (address: string) => boolean;

  constructor(
    private readonly routes: GatewayRoutes,
    private readonly context: RequestContext,
    private readonly clock: Clock,
    private readonly log: AccessLog,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    this.target = new RequestTarget(settings.limits.encodedSlash);
    this.isTrusted = trustedProxies(settings.trustedProxies);
  }

  /** Whether the request is the gateway's; what is not goes on to Nest. It runs for every request. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const { target } = this;
    if (!target.read(request.url ?? '')) {
      this.refuse(request, response, 400);
      return true;
    }
    const { table } = this.routes;
    const host = table.usesHosts ? hostName(request) : '';
    const entry = table.match(request.method ?? 'GET', target.matched, host);
    if (entry?.route === undefined) return false;
    const { route, rewrite } = entry as RoutedEntry;
    const path = rewrite === undefined ? target.path : rewrite(target.path);
    const problem = this.judge(request) ?? (route.hides?.(path) ? 404 : undefined);
    if (problem === undefined) this.forward(request, response, { route, path });
    else this.refuse(request, response, problem);
    return true;
  }

  onFinished(exchange: Exchange): void {
    if (!this.log.enabled) return;
    const { method, route, status, attempts, scope, endpoint, request } = exchange;
    this.log.write({
      method,
      status,
      attempts,
      path: request.url?.split('?', 1)[0] ?? '',
      route: route.path,
      upstream: route.to,
      upstreamInstance: endpoint?.instance.id ?? '',
      ms: this.clock.now() - exchange.startedAt,
      traceId: scope.trace.traceId,
      correlationId: scope.correlationId,
    });
  }

  /** What is wrong with a request that a route matches. */
  private judge(request: IncomingMessage): ProblemStatus | undefined {
    const { framing, target } = this;
    if (!framing.read(request) || request.method === 'TRACE') return 400;
    if (target.authority !== '' && target.authority.toLowerCase() !== framing.host.toLowerCase())
      return 421;
    const { head, body } = this.settings.limits;
    if (framing.size > head) return 431;
    return body > 0 && framing.length > body ? 413 : undefined;
  }

  private forward(
    request: IncomingMessage,
    response: ServerResponse,
    { route, path }: { readonly route: Route; readonly path: string },
  ): void {
    const { framing, target } = this;
    const connection = ClientConnection.of(request.socket, this.isTrusted);
    const scope = this.scopeOf(request);
    const exchange = new Exchange(request, response, route, connection, scope, this);
    exchange.startedAt = this.clock.now();
    exchange.target = path + target.query;
    exchange.host = framing.host;
    exchange.framing = framing.body;
    exchange.hasBody = framing.body !== 'none';
    exchange.bodyLimit = this.settings.limits.body;
    exchange.lines = requestLines(request.rawHeaders, connection, framing.host) + linesOf(scope);
    if (framing.body === 'chunked') exchange.lines += 'transfer-encoding: chunked\r\n';
    exchange.start();
  }

  private refuse(request: IncomingMessage, response: ServerResponse, status: ProblemStatus): void {
    const requestId = this.scopeOf(request).correlationId;
    // What was framed wrongly may go on anywhere.
    sendProblem(response, { status, requestId, close: status === 400 });
    discardBody(request);
  }

  private scopeOf({ rawHeaders }: IncomingMessage): RequestScope {
    return this.context.open({
      traceparent: headerOf(rawHeaders, 'traceparent'),
      tracestate: headerOf(rawHeaders, 'tracestate'),
      [CORRELATION_HEADER]: headerOf(rawHeaders, CORRELATION_HEADER),
    });
  }
}

type RoutedEntry = RouteEntry & { readonly route: Route };

/** The lines that carry a request's place in its trace. */
function linesOf({ trace, tracestate, correlationId }: RequestScope): string {
  const lines = `traceparent: ${formatTraceparent(trace)}\r\n${CORRELATION_HEADER}: ${correlationId}\r\n`;
  return tracestate === undefined ? lines : `${lines}tracestate: ${tracestate}\r\n`;
}

/** The host that is asked for, without its port and in small letters. */
function hostName({ rawHeaders }: IncomingMessage): string {
  const host = headerOf(rawHeaders, 'host') ?? '';
  return host.replace(/:\d*$/, '').toLowerCase();
}

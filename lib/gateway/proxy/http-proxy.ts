import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import {
  CORRELATION_HEADER,
  RequestContext,
  type RequestScope,
} from '../../common/request-context.js';
import { formatTraceparent } from '../../common/trace-context.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { GatewayRoutes } from '../gateway-routes.js';
import { PredicateRequest } from '../predicates/predicate-request.js';
import type { RouteEntry } from '../routes/route-table.js';
import type { Route } from '../routes/route.js';
import { AccessLog } from './access-log.js';
import { discardBody } from './body-remainder.js';
import { ClientConnection } from './client-connection.js';
import { Exchange, type ExchangeOwner } from './exchange.js';
import { FilteredExchange } from './filtered-exchange.js';
import { RequestFraming } from './framing.js';
import { headerOf, requestLines } from './headers.js';
import { RequestTarget } from './path.js';
import { type ProblemStatus, sendProblem } from './problem-response.js';
import { isWebSocketHandshake } from './websocket-handshake.js';
import { WebSocketExchange } from './websocket-exchange.js';
import { WebSocketTunnels } from './websocket-tunnels.js';
import { TunnelFilters } from './tunnel-filters.js';
import { trustedProxies } from './trusted-proxies.js';

/** A request that asks for another protocol. */
export interface Upgrade {
  readonly request: IncomingMessage;
  /** What came behind its head. */
  readonly early: Buffer;
  /** Makes its answer, destroyed where none can be given; it ends the connection. */
  readonly answer: () => ServerResponse;
}

/** Takes the requests that a route matches, and leads them to their upstream. */
@Injectable()
export class HttpProxy implements ExchangeOwner {
  private readonly logger = new Logger('Gateway');
  // Both are read at once for each request, so one of each is enough.
  private readonly target: RequestTarget;
  private readonly framing = new RequestFraming();
  private readonly isTrusted: (address: string) => boolean;

  constructor(
    private readonly routes: GatewayRoutes,
    private readonly context: RequestContext,
    private readonly clock: Clock,
    private readonly log: AccessLog,
    private readonly tunnels: WebSocketTunnels,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    this.target = new RequestTarget(settings.limits.encodedSlash);
    this.isTrusted = trustedProxies(settings.trustedProxies);
  }

  /** Whether the request is the gateway's; what is not goes on to Nest. It runs for every request. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    if (!this.target.read(request.url ?? '')) {
      this.refuse(request, response, 400);
      return true;
    }
    const entry = this.match(request);
    if (entry?.route === undefined) return false;
    const problem = this.judge(request, entry as RoutedEntry);
    if (problem === undefined) this.forward(request, response, entry as RoutedEntry);
    else this.refuse(request, response, problem);
    return true;
  }

  /** The same for a request that asks for another protocol; only WebSockets are led anywhere. */
  takeUpgrade(upgrade: Upgrade): boolean {
    const { request } = upgrade;
    const isSound = this.target.read(request.url ?? '');
    const entry = isSound ? this.match(request) : undefined;
    if (isSound && entry?.route === undefined) return false;
    const problem = entry?.route ? this.judgeUpgrade(upgrade, entry as RoutedEntry) : 400;
    const response = upgrade.answer();
    if (response.destroyed) return true;
    if (problem !== undefined) this.refuse(request, response, problem);
    else if (this.tunnels.enter()) this.forward(request, response, entry as RoutedEntry, true);
    else this.refuse(request, response, 503);
    return true;
  }

  /** Answers a request for another protocol that nobody wants. */
  refuseUpgrade({ request, early, answer }: Upgrade): void {
    const response = answer();
    if (response.destroyed) return;
    this.refuse(request, response, isWebSocketHandshake(request, early) ? 404 : 400);
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

  onFilterFailed(route: Route, error: unknown): void {
    this.logger.error(
      `A filter of the route '${route.id}' failed: ${messageOf(error)}`,
      stackOf(error),
    );
  }

  routeOf(id: string): Route | undefined {
    return this.routes.table.routeOf(id);
  }

  after(delay: number, task: () => void): void {
    this.clock.after(delay, task);
  }

  private match(request: IncomingMessage): RouteEntry | undefined {
    const { table } = this.routes;
    const host = table.usesHosts ? hostName(request) : '';
    const { method = 'GET', rawHeaders, socket } = request;
    const { matched: path, query } = this.target;
    if (!table.usesPredicates) return table.match(method, path, host);
    const { address } = ClientConnection.of(socket, this.isTrusted);
    return table.matchWhere(
      new PredicateRequest({ method, path, query, host, rawHeaders, address }),
    );
  }

  /** What is wrong with a request that a route matches. */
  private judge(request: IncomingMessage, entry: RoutedEntry): ProblemStatus | undefined {
    const { framing, target } = this;
    const { bodyLimit, hides } = entry.route;
    if (!framing.read(request) || request.method === 'TRACE') return 400;
    if (target.authority !== '' && target.authority.toLowerCase() !== framing.host.toLowerCase())
      return 421;
    if (framing.size > this.settings.limits.head) return 431;
    if (bodyLimit > 0 && framing.length > bodyLimit) return 413;
    return hides?.(this.pathOf(entry)) ? 404 : undefined;
  }

  private judgeUpgrade({ request, early }: Upgrade, entry: RoutedEntry): ProblemStatus | undefined {
    if (!isWebSocketHandshake(request, early)) return 400;
    return this.judge(request, entry) ?? (this.framing.body === 'none' ? undefined : 400);
  }

  private forward(
    request: IncomingMessage,
    response: ServerResponse,
    entry: RoutedEntry,
    upgrades = false,
  ): void {
    const { framing, target } = this;
    const { route } = entry;
    const connection = ClientConnection.of(request.socket, this.isTrusted);
    const scope = this.scopeOf(request);
    const kind = upgrades ? WebSocketExchange : route.filters ? FilteredExchange : Exchange;
    const exchange = new kind(request, response, route, connection, scope, this);
    exchange.startedAt = this.clock.now();
    exchange.target = this.pathOf(entry) + target.query;
    exchange.host = framing.host;
    if (route.keepHost) exchange.upstreamHost = framing.host;
    exchange.framing = framing.body;
    exchange.hasBody = framing.body !== 'none';
    exchange.bodyLimit = route.bodyLimit;
    exchange.lines = requestLines(request.rawHeaders, connection, framing.host) + linesOf(scope);
    if (framing.body === 'chunked') exchange.lines += 'transfer-encoding: chunked\r\n';
    if (exchange instanceof WebSocketExchange) exchange.prepare(this.tunnels);
    else if (route.timeouts.total > 0) exchange.deadlines.limitTotal();
    if (upgrades && route.filters) new TunnelFilters(exchange, this).run(route.filters);
    else exchange.start();
  }

  /** The path for the upstream. */
  private pathOf({ rewrite }: RoutedEntry): string {
    const { path } = this.target;
    return rewrite === undefined ? path : rewrite(path);
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

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
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

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { discardBody } from './body-remainder.js';
import { ExchangeReporter } from './exchange-reporter.js';
import { FilteredExchange } from './filtered-exchange.js';
import { NodeExchange } from './node-exchange.js';
import { type ProblemStatus, sendProblem } from './problem-response.js';
import { type RoutedEntry, RequestRouting } from './request-routing.js';
import { TunnelFilters } from './tunnel-filters.js';
import { WebSocketExchange } from './websocket-exchange.js';
import { isWebSocketHandshake } from './websocket-handshake.js';
import { WebSocketTunnels } from './websocket-tunnels.js';

/** A request that asks for another protocol. */
export interface Upgrade {
  readonly request: IncomingMessage;
  /** What came behind its head. */
  readonly early: Buffer;
  /** Makes its answer, destroyed where none can be given; it ends the connection. */
  readonly answer: () => ServerResponse;
}

/** Takes the requests that a route matches, as Node has read them, and leads them to their upstream. */
@Injectable()
export class HttpProxy {
  constructor(
    private readonly routing: RequestRouting,
    private readonly reporter: ExchangeReporter,
    private readonly tunnels: WebSocketTunnels,
  ) {}

  /** Whether the request is the gateway's; what is not goes on to Nest. It runs for every request. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const { routing } = this;
    if (!routing.read(request)) {
      this.refuse(request, response, 400);
      return true;
    }
    const entry = routing.match(request, request.socket);
    if (entry?.route === undefined) return false;
    const problem = routing.judge(request, entry as RoutedEntry);
    if (problem === undefined) this.forward(request, response, entry as RoutedEntry);
    else this.refuse(request, response, problem);
    return true;
  }

  /** The same for a request that asks for another protocol; only WebSockets are led anywhere. */
  takeUpgrade(upgrade: Upgrade): boolean {
    const { request } = upgrade;
    const isSound = this.routing.read(request);
    const entry = isSound ? this.routing.match(request, request.socket) : undefined;
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

  private judgeUpgrade({ request, early }: Upgrade, entry: RoutedEntry): ProblemStatus | undefined {
    if (!isWebSocketHandshake(request, early)) return 400;
    return this.routing.judge(request, entry) ?? (this.routing.body === 'none' ? undefined : 400);
  }

  private forward(
    request: IncomingMessage,
    response: ServerResponse,
    entry: RoutedEntry,
    upgrades = false,
  ): void {
    const { routing, reporter } = this;
    const { route } = entry;
    const connection = routing.connectionOf(request.socket);
    const scope = routing.scopeOf(request);
    const kind = upgrades ? WebSocketExchange : route.filters ? FilteredExchange : NodeExchange;
    const exchange = new kind(request, response, route, connection, scope, reporter);
    exchange.startedAt = reporter.now();
    routing.equip(exchange, request, entry);
    if (exchange instanceof WebSocketExchange) exchange.prepare(this.tunnels);
    else if (route.timeouts.total > 0) exchange.deadlines.limitTotal();
    if (route.door) routing.visit(exchange, route.door, request).enter(() => this.send(exchange));
    else this.send(exchange);
  }

  /** Sends what was let in on its way. */
  private send(exchange: NodeExchange): void {
    const { filters } = exchange.route;
    if (filters && exchange instanceof WebSocketExchange)
      new TunnelFilters(exchange, this.reporter).run(filters);
    else exchange.start();
  }

  private refuse(request: IncomingMessage, response: ServerResponse, status: ProblemStatus): void {
    const { correlationId: requestId, span } = this.routing.scopeOf(request);
    span?.end({ name: 'HTTP', attributes: { 'http.response.status_code': status } });
    // What was framed wrongly may go on anywhere.
    sendProblem(response, { status, requestId, close: status === 400 });
    discardBody(request);
  }
}

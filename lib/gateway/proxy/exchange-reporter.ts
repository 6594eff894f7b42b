import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { EventHub } from '../../common/event-hub.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import { GatewayRoutes } from '../gateway-routes.js';
import type { Route } from '../routes/route.js';
import { AccessLog } from './access-log.js';
import type { Exchange } from './exchange.js';
import type { NodeExchange } from './node-exchange.js';
import { RequestRouting } from './request-routing.js';
import type { ExchangeOwner } from './exchange-owner.js';
import { TraceSteps } from './trace-steps.js';

/** Tells the access log, and whoever listens, of every exchange that is over. */
@Injectable()
export class ExchangeReporter implements ExchangeOwner {
  private readonly logger = new Logger('Gateway');

  constructor(
    private readonly routes: GatewayRoutes,
    private readonly clock: Clock,
    private readonly log: AccessLog,
    private readonly events: EventHub,
    private readonly routing: RequestRouting,
    private readonly steps: TraceSteps,
  ) {}

  now(): number {
    return this.clock.now();
  }

  onFinished(exchange: Exchange): void {
    const { log, events } = this;
    if (exchange.step !== undefined) this.steps.end(exchange);
    const isHeard = events.hears('request.proxied');
    if (!isHeard && !log.enabled) return;
    exchange.duration = this.clock.now() - exchange.startedAt;
    if (log.enabled) log.write(exchange);
    if (isHeard) events.emit('request.proxied', exchange);
  }

  linesTo(exchange: Exchange, endpoint: Endpoint): string {
    return this.steps.begin(exchange, endpoint);
  }

  onFilterFailed(route: Route, error: unknown): void {
    this.logger.error(
      `A filter of the route '${route.id}' failed: ${messageOf(error)}`,
      error instanceof Error ? error.stack : undefined,
    );
  }

  admit(exchange: NodeExchange, proceed: () => void): void {
    const { request, route } = exchange;
    // Its own target again: a door judges what the client asked for.
    if (route.door === undefined) proceed();
    else if (this.routing.read(request))
      this.routing.visit(exchange, route.door, request).enter(proceed);
    else exchange.refuse(400);
  }

  routeOf(id: string): Route | undefined {
    return this.routes.table.routeOf(id);
  }

  after(delay: number, task: () => void): void {
    this.clock.after(delay, task);
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { messageOf } from '../../common/errors.js';
import { EventHub } from '../../common/event-hub.js';
import { GatewayRoutes } from '../gateway-routes.js';
import type { Route } from '../routes/route.js';
import { AccessLog } from './access-log.js';
import type { Exchange } from './exchange.js';
import type { ExchangeOwner } from './exchange-owner.js';

/** Tells the access log, and whoever listens, of every exchange that is over. */
@Injectable()
export class ExchangeReporter implements ExchangeOwner {
  private readonly logger = new Logger('Gateway');

  constructor(
    private readonly routes: GatewayRoutes,
    private readonly clock: Clock,
    private readonly log: AccessLog,
    private readonly events: EventHub,
  ) {}

  now(): number {
    return this.clock.now();
  }

  onFinished(exchange: Exchange): void {
    const { log, events } = this;
    const isHeard = events.hears('request.proxied');
    if (!isHeard && !log.enabled) return;
    exchange.duration = this.clock.now() - exchange.startedAt;
    if (log.enabled) log.write(exchange);
    if (isHeard) events.emit('request.proxied', exchange);
  }

  onFilterFailed(route: Route, error: unknown): void {
    this.logger.error(
      `A filter of the route '${route.id}' failed: ${messageOf(error)}`,
      error instanceof Error ? error.stack : undefined,
    );
  }

  routeOf(id: string): Route | undefined {
    return this.routes.table.routeOf(id);
  }

  after(delay: number, task: () => void): void {
    this.clock.after(delay, task);
  }
}

import { Injectable } from '@nestjs/common';
import { type Measurement, MeasurementSource } from '../common/measurements.js';
import { GatewayRoutes } from './gateway-routes.js';
import { WebSocketTunnels } from './proxy/websocket-tunnels.js';

/** How many routes are served, how many are not, and how many tunnels are open. */
@Injectable()
export class GatewayMeasurements extends MeasurementSource {
  constructor(
    private readonly routes: GatewayRoutes,
    private readonly tunnels: WebSocketTunnels,
  ) {
    super();
  }

  override *measure(): Iterable<Measurement> {
    yield { name: 'gateway.routes', value: this.routes.table.routes.length };
    yield { name: 'gateway.conflicts', value: this.routes.conflicts().length };
    yield { name: 'gateway.tunnels', value: this.tunnels.count };
  }
}

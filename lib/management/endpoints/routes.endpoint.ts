import { Injectable, Optional } from '@nestjs/common';
import { type ManagementAnswer, ManagementEndpoint } from '../../common/management-endpoint.js';
import { RouteCollector } from '../../discovery/manifest/route-collector.js';
import { GatewayRoutes } from '../../gateway/gateway-routes.js';

/** What can be asked here: the service's own handlers, and at a gateway every route with its conflicts. */
@Injectable()
export class RoutesEndpoint extends ManagementEndpoint {
  override readonly id = 'routes';

  constructor(
    @Optional() private readonly collector?: RouteCollector,
    @Optional() private readonly gateway?: GatewayRoutes,
  ) {
    super();
  }

  override answer(): ManagementAnswer {
    const own = this.collector?.collect().map(({ method, path }) => ({ method, path })) ?? [];
    const { gateway } = this;
    return {
      body: {
        own,
        ...(gateway && {
          gateway: gateway.list(),
          conflicts: gateway.conflicts(),
          shadows: gateway.shadows(),
        }),
      },
    };
  }
}

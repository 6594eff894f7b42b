import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { type RouteSnapshot, RouteSource } from './route-source.js';

/** The routes of the gateway's own options; they never change. */
@Injectable()
export class OptionsRouteSource extends RouteSource {
  override readonly name = 'options';

  constructor(@Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings) {
    super();
  }

  override async *routes(): AsyncGenerator<RouteSnapshot> {
    yield { kind: 'explicit', routes: this.settings.routes };
  }
}

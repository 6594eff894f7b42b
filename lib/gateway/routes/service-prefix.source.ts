import { Inject, Injectable } from '@nestjs/common';
import { isServiceName } from '../../common/service-identity.js';
import { DiscoveryClient } from '../../discovery/discovery-client.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { Bell } from './bell.js';
import type { RouteDefinition } from './route-definition.js';
import { type RouteSnapshot, RouteSource } from './route-source.js';

/** Every service below its own name, `/orders/{*rest}`, behind all other routes; only where the options ask for it. */
@Injectable()
export class ServicePrefixSource extends RouteSource {
  override readonly name = 'the service prefix';
  private readonly known = new Map<string, RouteDefinition>();

  constructor(
    private readonly client: DiscoveryClient,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    super();
  }

  override async *routes(signal: AbortSignal): AsyncGenerator<RouteSnapshot> {
    const bell = new Bell();
    const stop = this.client.onServices(() => bell.ring());
    try {
      while (!signal.aborted) {
        const services = this.client.services().filter((service) => this.wants(service));
        yield { kind: 'fallback', routes: services.map((service) => this.routeTo(service)) };
        await bell.wait(signal);
      }
    } finally {
      stop();
    }
  }

  private wants(service: string): boolean {
    const { include, exclude } = this.settings.discovery;
    return (
      isServiceName(service) && (include?.includes(service) ?? true) && !exclude.includes(service)
    );
  }

  private routeTo(service: string): RouteDefinition {
    const known = this.known.get(service);
    if (known) return known;
    const prefix = (this.settings.discovery.servicePrefix ?? '').replace(/\/+$/, '');
    const route = {
      id: `${service}#*`,
      path: `${prefix}/${service}/{*rest}`,
      to: service,
      rewrite: '/{*rest}',
    };
    this.known.set(service, route);
    return route;
  }
}

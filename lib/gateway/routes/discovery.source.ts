import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { DiscoveryClient } from '../../discovery/discovery-client.js';
import { Upstreams } from '../../upstream/upstreams.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import { Bell } from './bell.js';
import { type RouteSnapshot, RouteSource } from './route-source.js';
import { RouteWatch } from './route-watch.js';

/**
 * The routes that services publish about themselves, of all services in the registry.
 *
 * While the registry is away the last known ones stay. A service that leaves keeps its paths for a while, so that its
 * callers hear 503, "try again", and not 404, "there is no such thing".
 */
@Injectable()
export class DiscoveryRouteSource extends RouteSource {
  override readonly name = 'discovery';

  constructor(
    private readonly client: DiscoveryClient,
    private readonly upstreams: Upstreams,
    private readonly clock: Clock,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    super();
  }

  override async *routes(signal: AbortSignal): AsyncGenerator<RouteSnapshot> {
    const bell = new Bell();
    const watch = this.watch(bell, signal);
    const stop = this.client.onServices((services) => watch.follow(services));
    try {
      watch.follow(this.client.services());
      while (!signal.aborted) {
        yield watch.snapshot();
        await bell.wait(signal);
      }
    } finally {
      stop();
      watch.close();
    }
  }

  private watch(bell: Bell, signal: AbortSignal): RouteWatch {
    const { client, upstreams, clock } = this;
    const { hold, include, exclude } = this.settings.discovery;
    const wants = (service: string) =>
      (include?.includes(service) ?? true) && !exclude.includes(service);
    const onChange = () => bell.ring();
    return new RouteWatch({ client, upstreams, clock, hold, wants, onChange, signal });
  }
}

import type { ServiceInstance } from '../discovery/service-instance.js';
import { Endpoint } from '../load-balancing/endpoint.js';
import type { Channel } from './transport.js';

/** An endpoint that is called over HTTP, with its own connections. */
export class UpstreamEndpoint extends Endpoint {
  constructor(
    instance: ServiceInstance,
    readonly channel: Channel,
  ) {
    super(instance);
  }

  override retire(): void {
    this.channel.retire();
  }
}

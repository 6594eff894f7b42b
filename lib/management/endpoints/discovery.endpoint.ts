import { Injectable, Optional } from '@nestjs/common';
import { type ManagementAnswer, ManagementEndpoint } from '../../common/management-endpoint.js';
import { DiscoveryClient } from '../../discovery/discovery-client.js';
import { LocalInstance } from '../../discovery/local-instance.js';
import { Registrar } from '../../discovery/registrar.js';
import type { ServiceInstance } from '../../discovery/service-instance.js';

/** What this service knows of the others, and what it says of itself. */
@Injectable()
export class DiscoveryEndpoint extends ManagementEndpoint {
  override readonly id = 'discovery';

  constructor(
    @Optional() private readonly client?: DiscoveryClient,
    @Optional() private readonly local?: LocalInstance,
    @Optional() private readonly registrar?: Registrar,
  ) {
    super();
  }

  override answer(): ManagementAnswer | undefined {
    const { client } = this;
    if (!client) return undefined;
    const services = client.services().map((service) => {
      const { all, stale } = client.view(service);
      return [service, { stale, instances: all.map(shown) }];
    });
    const self = this.local?.current;
    return {
      body: {
        ...(self && {
          self: { ...shown(self), registered: this.registrar?.registered !== undefined },
        }),
        services: Object.fromEntries(services),
      },
    };
  }
}

/** Metadata stays out: it is the application's, and may say anything. */
function shown({ id, host, port, scheme, status, version, zone, weight, tags }: ServiceInstance) {
  return { id, host, port, scheme, status, version, zone, weight, tags };
}

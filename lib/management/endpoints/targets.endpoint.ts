import { Inject, Injectable, type OnApplicationBootstrap, Optional } from '@nestjs/common';
import { type ManagementAnswer, ManagementEndpoint } from '../../common/management-endpoint.js';
import { DiscoveryClient } from '../../discovery/discovery-client.js';
import { LocalInstance } from '../../discovery/local-instance.js';
import type { ServiceInstance } from '../../discovery/service-instance.js';
import { TELEMETRY_SETTINGS, type TelemetrySettings } from '../../telemetry/telemetry.options.js';

/** The path of its metrics, in what an instance says of itself; only those that have it are listed. */
const METRICS_KEY = 'rookery-metrics';

/**
 * Every instance that has metrics, of all services, as Prometheus asks for what it should scrape: a registry that it does
 * not know itself needs no other configuration.
 *
 * The shape is Prometheus's own (HTTP service discovery, "Requirements of HTTP SD endpoints"); labels that begin with two
 * underscores are for its relabelling.
 */
@Injectable()
export class TargetsEndpoint extends ManagementEndpoint implements OnApplicationBootstrap {
  override readonly id = 'targets';

  constructor(
    @Optional() private readonly client?: DiscoveryClient,
    @Optional() private readonly local?: LocalInstance,
    @Optional() @Inject(TELEMETRY_SETTINGS) private readonly settings?: TelemetrySettings,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    const { enabled, path } = this.settings?.metrics ?? {};
    if (!enabled || typeof path !== 'string') return;
    this.local?.announce({ metadata: { [METRICS_KEY]: path } });
  }

  override answer(): ManagementAnswer | undefined {
    const { client } = this;
    if (!client) return undefined;
    const all = client.services().flatMap((service) => client.view(service).all);
    return { body: all.filter(({ metadata }) => METRICS_KEY in metadata).map(target) };
  }
}

function target({ service, id, host, port, scheme, version, zone, metadata }: ServiceInstance) {
  return {
    targets: [`${host.includes(':') ? `[${host}]` : host}:${port}`],
    labels: {
      __scheme__: scheme,
      __metrics_path__: metadata[METRICS_KEY],
      __meta_rookery_service: service,
      __meta_rookery_id: id,
      ...(version !== undefined && { __meta_rookery_version: version }),
      ...(zone !== undefined && { __meta_rookery_zone: zone }),
    },
  };
}

import type { ClientModuleOptions } from './client/client.options.js';
import type { ConfigClientOptions } from './config-client/config-client.options.js';
import type { DiscoveryOptions } from './discovery/discovery.options.js';
import type { GatewayOptions } from './gateway/gateway.options.js';
import type { HealthOptions } from './health/health.options.js';
import type { ManagementOptions } from './management/management.options.js';
import type { ResilienceOptions } from './resilience/resilience.options.js';
import type { MetricsOptions, TelemetryOptions } from './telemetry/telemetry.options.js';
import type { UpstreamModuleOptions } from './upstream/upstream.options.js';

/** What a service among services may be told; nothing of it must be. */
export interface RookeryOptions {
  /** The service's name, a DNS label. @default SERVICE_NAME */
  readonly name?: string;
  /** The service's version. @default SERVICE_VERSION */
  readonly version?: string;
  /** How it is found and finds others. @default Consul when CONSUL_HTTP_ADDR is set, else the embedded registry */
  readonly discovery?: Omit<DiscoveryOptions, 'name' | 'version'>;
  /** Where its configuration comes from; `false` leaves central configuration out. @default CONFIG_URL */
  readonly config?: Omit<ConfigClientOptions, 'name'> | false;
  /** How it says how it is. */
  readonly health?: Omit<HealthOptions, 'name'>;
  /** The policies that `@Resilient` and `Resilience.execute` name. */
  readonly resilience?: ResilienceOptions;
  /** How it calls others: time limits, circuits and balancing for each service. */
  readonly upstreams?: UpstreamModuleOptions;
  /** What goes on with its calls, and what is shared, kept and checked of their answers. */
  readonly client?: ClientModuleOptions;
  /** Makes it a gateway. @default false */
  readonly gateway?: GatewayOptions | boolean;
  /** Counts what happens, for Prometheus at /metrics, by prom-client, which must be installed. @default false */
  readonly metrics?: MetricsOptions | boolean;
  /** Makes spans of requests and calls when OpenTelemetry's SDK is registered. @default true */
  readonly tracing?: boolean;
  /** Endpoints for those who run it, for callers on this machine or with the token; `false` leaves them out. @default true */
  readonly management?: ManagementOptions | boolean;
  /** Logs as lines of JSON with the ids of the request, by pino, which must be installed. @default false */
  readonly logs?:
    Omit<TelemetryOptions, 'name' | 'version' | 'logs' | 'metrics' | 'tracing'> | boolean;
}

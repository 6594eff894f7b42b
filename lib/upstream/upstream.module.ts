import { type DynamicModule, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { LoadBalancingModule } from '../load-balancing/load-balancing.module.js';
import { loadUndiciTransport } from './transports/undici.transport.js';
import { CircuitsModule } from '../resilience/circuits.module.js';
import {
  readUpstreamOptions,
  UPSTREAM_SETTINGS,
  type UpstreamModuleOptions,
  usesUndici,
} from './upstream.options.js';
import { UNDICI_TRANSPORT, Upstreams } from './upstreams.js';
import { UpstreamsMeasurements } from './upstreams.measurements.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  roomModule<UpstreamModuleOptions>('Upstream');

/**
 * Calls to other services: load balancing, retries, circuits and connections; needs `DiscoveryModule`.
 *
 * @example
 * UpstreamModule.forRoot({ services: { payments: { timeouts: { response: '30s' } } } })
 */
@Module({
  imports: [CommonModule, LoadBalancingModule, CircuitsModule],
  providers: [
    {
      provide: UPSTREAM_SETTINGS,
      useFactory: readUpstreamOptions,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
    },
    {
      provide: UNDICI_TRANSPORT,
      useFactory: async (options?: UpstreamModuleOptions) =>
        usesUndici(options) ? loadUndiciTransport() : undefined,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
    },
    Upstreams,
    UpstreamsMeasurements,
  ],
  exports: [Upstreams],
})
export class UpstreamModule extends ConfigurableModuleClass {
  /** @param options all have defaults; wrong ones throw `InvalidOptionsError` when the application starts */
  static override forRoot(
    options: UpstreamModuleOptions & { readonly isGlobal?: boolean } = {},
  ): DynamicModule {
    return super.forRoot(options);
  }
}

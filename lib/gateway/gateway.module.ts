import { type DynamicModule, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { GatewayContributor } from './gateway.contributor.js';
import { GatewayDoors } from './door/gateway-doors.js';
import { GatewayMeasurements } from './gateway.measurements.js';
import {
  GATEWAY_SETTINGS,
  type GatewayOptions,
  type GatewaySettings,
  readGatewayOptions,
} from './gateway.options.js';
import { RouteGuards } from './filters/guard.filter.js';
import { FastLane } from './lane/fast-lane.js';
import { ResponseStore } from './response-cache/response-store.js';
import { GatewayRoutes } from './gateway-routes.js';
import { ACCESS_LOG_SINK, AccessLog } from './proxy/access-log.js';
import { ExchangeReporter } from './proxy/exchange-reporter.js';
import { GatewayListener } from './proxy/gateway-listener.js';
import { HttpProxy } from './proxy/http-proxy.js';
import { RequestRouting } from './proxy/request-routing.js';
import { UpgradeListener } from './proxy/upgrade-listener.js';
import { TraceSteps } from './proxy/trace-steps.js';
import { WebSocketTunnels } from './proxy/websocket-tunnels.js';
import { ConfigRouteSource } from './routes/config.source.js';
import { DiscoveryRouteSource } from './routes/discovery.source.js';
import { LocalPaths } from './routes/local-paths.js';
import { OptionsRouteSource } from './routes/options.source.js';
import { RouteCompiler } from './routes/route-compiler.js';
import { RouteMembers } from './routes/route-members.js';
import { RouteNotices } from './routes/route-notices.js';
import { ServicePrefixSource } from './routes/service-prefix.source.js';
import { ROUTE_SOURCES } from './routes/route-source.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = roomModule<GatewayOptions>('Gateway');

/**
 * Makes the application a gateway: requests that a route matches go to their service, the rest to Nest.
 *
 * Only what services mark with `@GatewayRoute`, or what is written in the options, is reachable. Proxied requests pass
 * neither Nest's middleware, guards nor body parsers; your controllers pass them as ever. It needs `DiscoveryModule`
 * and `UpstreamModule`, which `RookeryModule` brings.
 *
 * @throws InvalidOptionsError at start, when an option or a route cannot be used
 * @example
 * @Module({
 *   imports: [
 *     DiscoveryModule.forRoot({ name: 'gateway' }),
 *     UpstreamModule.forRoot(),
 *     GatewayModule.forRoot({ routes: [{ path: '/legacy/{*rest}', to: 'http://10.0.0.9:8080' }] }),
 *   ],
 * })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule],
  providers: [
    {
      provide: GATEWAY_SETTINGS,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
      useFactory: (options?: GatewayOptions) => readGatewayOptions(options, 'gateway'),
    },
    { provide: ACCESS_LOG_SINK, useValue: (lines: Buffer) => process.stdout.write(lines) },
    {
      provide: ROUTE_SOURCES,
      inject: [
        OptionsRouteSource,
        ConfigRouteSource,
        DiscoveryRouteSource,
        ServicePrefixSource,
        GATEWAY_SETTINGS,
      ],
      useFactory: (
        options: OptionsRouteSource,
        config: ConfigRouteSource,
        discovery: DiscoveryRouteSource,
        prefix: ServicePrefixSource,
        { sources, discovery: { enabled, servicePrefix } }: GatewaySettings,
      ) => [
        options,
        config,
        ...sources,
        ...(enabled ? [discovery] : []),
        ...(enabled && servicePrefix !== undefined ? [prefix] : []),
      ],
    },
    AccessLog,
    ConfigRouteSource,
    DiscoveryRouteSource,
    ExchangeReporter,
    TraceSteps,
    FastLane,
    GatewayContributor,
    GatewayDoors,
    GatewayListener,
    GatewayMeasurements,
    GatewayRoutes,
    HttpProxy,
    LocalPaths,
    OptionsRouteSource,
    RequestRouting,
    ResponseStore,
    RouteCompiler,
    RouteGuards,
    RouteMembers,
    RouteNotices,
    ServicePrefixSource,
    UpgradeListener,
    WebSocketTunnels,
  ],
  exports: [GatewayRoutes, ResponseStore],
})
export class GatewayModule extends ConfigurableModuleClass {
  /** @param options all have defaults; wrong ones throw `InvalidOptionsError` when the application starts */
  static override forRoot(
    options: GatewayOptions & { readonly isGlobal?: boolean } = {},
  ): DynamicModule {
    return super.forRoot(options);
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { ClientModule } from './client/client.module.js';
import { group, made, optional, type OptionReader, textOf } from './common/option-readers.js';
import { assertServiceName } from './common/service-identity.js';
import { ConfigClientModule } from './config-client/config-client.module.js';
import { DiscoveryModule } from './discovery/discovery.module.js';
import { GatewayModule } from './gateway/gateway.module.js';
import { HealthModule } from './health/health.module.js';
import type { RookeryOptions } from './rookery.options.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';
import { UpstreamModule } from './upstream/upstream.module.js';

/** What a room checks itself. */
const room: OptionReader<object | boolean | undefined> = optional(
  made(
    (value): value is object | boolean => typeof value === 'object' || typeof value === 'boolean',
    'an object, true or false',
  ),
);

const read = group({
  name: optional(textOf()),
  version: optional(textOf()),
  discovery: room,
  config: room,
  health: room,
  upstreams: room,
  gateway: room,
  logs: room,
});

/**
 * All a service among services needs, in one import: discovery, calls to others, central configuration and health;
 * a gateway and JSON logs when asked for.
 *
 * @example
 * @Module({ imports: [RookeryModule.forRoot({ name: 'orders' })], controllers: [OrdersController] })
 * export class AppModule {}
 */
@Module({})
export class RookeryModule {
  /** Wires every room with its defaults; throws `InvalidOptionsError` for an option that cannot be used. */
  static forRoot(options: RookeryOptions = {}): DynamicModule {
    read(options, 'rookery');
    if (options.name !== undefined) assertServiceName('rookery.name', options.name);
    const { name, version, gateway = false, logs = false, config = {} } = options;
    return {
      module: RookeryModule,
      imports: [
        DiscoveryModule.forRoot({ ...options.discovery, ...given({ name, version }) }),
        HealthModule.forRoot({ ...options.health, ...given({ name }) }),
        UpstreamModule.forRoot({ ...options.upstreams }),
        ClientModule,
        ...(config === false
          ? []
          : [ConfigClientModule.forRoot({ ...config, ...given({ name }) })]),
        ...(gateway === false ? [] : [GatewayModule.forRoot(gateway === true ? {} : gateway)]),
        ...(logs === false ? [] : [TelemetryModule.forRoot(logs === true ? {} : logs)]),
      ],
    };
  }
}

/** Leaves out what was not given, so that the rooms' own defaults hold. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { Operators } from '../common/operators.js';
import { CircuitsEndpoint } from './endpoints/circuits.endpoint.js';
import { DiscoveryEndpoint } from './endpoints/discovery.endpoint.js';
import { EnvEndpoint } from './endpoints/env.endpoint.js';
import { HealthEndpoint } from './endpoints/health.endpoint.js';
import { InfoEndpoint } from './endpoints/info.endpoint.js';
import { LoggersEndpoint } from './endpoints/loggers.endpoint.js';
import { MappingsEndpoint } from './endpoints/mappings.endpoint.js';
import { RoutesEndpoint } from './endpoints/routes.endpoint.js';
import { TargetsEndpoint } from './endpoints/targets.endpoint.js';
import { LogLevelConfig } from './log-level-config.js';
import { ManagementListener } from './management-listener.js';
import { ManagementPages } from './management-pages.js';
import {
  MANAGEMENT_SETTINGS,
  type ManagementOptions,
  type ManagementSettings,
  readManagementOptions,
} from './management.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  roomModule<ManagementOptions>('Management');

/**
 * Endpoints for those who run the service: `/management/info`, `env`, `loggers`, `routes`, `circuits`, `discovery`,
 * `health`, `metrics` and `targets` (for Prometheus), and whatever extends `ManagementEndpoint`.
 *
 * Callers on this machine may look, and whoever brings the token; to all others they are not there. Where Spring Boot's
 * Actuator has the same thing, the JSON is the same.
 *
 * @throws InvalidOptionsError at start, when an option cannot be used
 * @example
 * @Module({ imports: [ManagementModule.forRoot({ port: 9100, host: '0.0.0.0', token: process.env.OPS_TOKEN })] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule],
  providers: [
    {
      provide: MANAGEMENT_SETTINGS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: ManagementOptions) => readManagementOptions(options, 'management'),
    },
    CircuitsEndpoint,
    DiscoveryEndpoint,
    EnvEndpoint,
    HealthEndpoint,
    InfoEndpoint,
    LoggersEndpoint,
    LogLevelConfig,
    ManagementListener,
    ManagementPages,
    MappingsEndpoint,
    RoutesEndpoint,
    TargetsEndpoint,
  ],
  exports: [ManagementListener],
})
export class ManagementModule extends ConfigurableModuleClass {
  /** Switches the endpoints on. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  constructor(@Inject(MANAGEMENT_SETTINGS) settings: ManagementSettings, operators: Operators) {
    super();
    if (settings.token !== undefined) operators.admit(settings.token);
    if (!settings.local) operators.refuseLocal();
  }
}

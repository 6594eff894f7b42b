import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { EventLoopContributor } from './contributors/event-loop.contributor.js';
import { HealthAggregator } from './health-aggregator.js';
import { HealthAnswers } from './health-answers.js';
import { HealthCoreModule } from './health-core.module.js';
import { healthControllerAt } from './health.controller.js';
import {
  HEALTH_SETTINGS,
  type HealthOptions,
  type HealthSettings,
  readHealthOptions,
} from './health.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  roomModule<HealthOptions>('Health');

/** Where the endpoints are; known before options that are made asynchronously. */
interface HealthPath {
  /** The path of the endpoints, below a global prefix if there is one. @default '/health' */
  readonly path?: string;
}

/**
 * Health endpoints of a service: `GET /health`, `/health/live`, `/health/ready` and `/health/{service}`.
 *
 * Every provider that extends `HealthContributor` takes part; so do indicators of `@nestjs/terminus`, whose module
 * this one imports and exports.
 *
 * @example
 * @Module({ imports: [HealthModule.forRoot({ name: 'orders' })], providers: [DatabaseHealth] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule, HealthCoreModule, TerminusModule],
  providers: [
    {
      provide: HEALTH_SETTINGS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: HealthOptions) => readHealthOptions(options, 'health'),
    },
    HealthAnswers,
    EventLoopContributor,
  ],
  exports: [HealthAnswers, HealthCoreModule, TerminusModule],
})
export class HealthModule extends ConfigurableModuleClass {
  /** Switches health on. */
  static override forRoot({
    path,
    ...options
  }: typeof OPTIONS_TYPE & HealthPath = {}): DynamicModule {
    return { ...super.forRoot(options), controllers: [healthControllerAt(path ?? '/health')] };
  }

  /** Switches health on with options that other providers make; `path` stands beside the factory. */
  static override forRootAsync({
    path,
    ...options
  }: typeof ASYNC_OPTIONS_TYPE & HealthPath): DynamicModule {
    return { ...super.forRootAsync(options), controllers: [healthControllerAt(path ?? '/health')] };
  }

  constructor(
    @Inject(HEALTH_SETTINGS) settings: HealthSettings,
    aggregator: HealthAggregator,
    identity: ServiceIdentity,
  ) {
    super();
    identity.claim('health.name', settings.name, settings.version);
    aggregator.configure(settings, settings.indicators);
  }
}

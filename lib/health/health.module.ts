import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { EventLoopContributor } from './contributors/event-loop.contributor.js';
import { DetailsVisibility } from './details-visibility.js';
import { HealthAggregator } from './health-aggregator.js';
import { HealthAnswers } from './health-answers.js';
import { HealthCoreModule } from './health-core.module.js';
import { HEALTH_PATH, HealthListener } from './health-listener.js';
import { healthControllerAt } from './health.controller.js';
import { ProbeAnswers } from './probe-answers.js';
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
  /** Imports Nest's `TerminusModule`, so that its indicators can be injected. @default false */
  readonly terminus?: boolean;
}

/**
 * Health endpoints of a service: `GET /health`, `/health/live`, `/health/ready`, `/health/startup` and `/health/{service}`.
 *
 * Every provider that extends `HealthContributor`, or is marked with it, takes part; so do indicators of
 * `@nestjs/terminus`, whose module is there with `terminus: true`.
 *
 * @example
 * @Module({ imports: [HealthModule.forRoot({ name: 'orders' })], providers: [DatabaseHealth] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule, HealthCoreModule],
  providers: [
    {
      provide: HEALTH_SETTINGS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: HealthOptions) => readHealthOptions(options, 'health'),
    },
    DetailsVisibility,
    HealthAnswers,
    HealthListener,
    EventLoopContributor,
    ProbeAnswers,
  ],
  exports: [HealthAnswers, HealthCoreModule],
})
export class HealthModule extends ConfigurableModuleClass {
  /** Switches health on. */
  static override forRoot({
    path,
    ...options
  }: typeof OPTIONS_TYPE & HealthPath = {}): DynamicModule {
    return completed(super.forRoot(options), { path, terminus: options.terminus });
  }

  /** Switches health on with options that other providers make; `path` and `terminus` stand beside the factory. */
  static override forRootAsync({
    path,
    terminus,
    ...options
  }: typeof ASYNC_OPTIONS_TYPE & HealthPath): DynamicModule {
    return completed(super.forRootAsync(options), { path, terminus });
  }

  constructor(
    @Inject(HEALTH_SETTINGS) settings: HealthSettings,
    aggregator: HealthAggregator,
    identity: ServiceIdentity,
  ) {
    super();
    identity.claim('health.name', settings.name, settings.version);
    const { failureThreshold: failures, successThreshold: successes, ...schedule } = settings;
    aggregator.configure({ ...schedule, thresholds: { failures, successes } }, settings.indicators);
  }
}

function completed(
  module: DynamicModule,
  { path = '/health', terminus }: HealthPath,
): DynamicModule {
  return {
    ...module,
    controllers: [healthControllerAt(path)],
    providers: [...(module.providers ?? []), { provide: HEALTH_PATH, useValue: path }],
    // Loaded for those who want it: it costs as much start-up time as all the rest.
    imports: [...(module.imports ?? []), ...(terminus === true ? [terminusModule()] : [])],
  };
}

async function terminusModule(): Promise<DynamicModule> {
  const { TerminusIndicatorsModule } = await import('./terminus-indicators.module.js');
  return { module: TerminusIndicatorsModule };
}

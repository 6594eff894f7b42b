import { type DynamicModule, Module } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Clock } from '../common/clock.js';
import { CommonModule } from '../common/common.module.js';
import { EventHub } from '../common/event-hub.js';
import { roomModule } from '../common/module-builder.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { HealthCoreModule } from '../health/health-core.module.js';
import { ErrorRateCheck } from './change-checks/error-rate.check.js';
import { ReadinessCheck } from './change-checks/readiness.check.js';
import { ChangeTrial } from './change-trial.js';
import { ConfigContributor } from './config-client.contributor.js';
import { ConfigClient } from './config-client.js';
import { ConfigClientMeasurements } from './config-client.measurements.js';
import type { ConfigClientOptions } from './config-client.options.js';
import { ConfigLoader } from './config-loader.js';
import { type SchemaSection, sectionOf, type SectionType } from './config-section.js';
import { ConfigServerLocator } from './config-server-locator.js';
import { ConfigStart } from './config-start.js';
import { ConfigValueExplorer } from './config-value.explorer.js';
import { FeatureFlagGuard } from './feature-flag.guard.js';
import { FeatureFlags } from './feature-flags.js';
import { CONFIG_SECTIONS, LiveSections } from './live-sections.js';
import { UsageReporter } from './usage-reporter.js';
import { configServiceProvider, NestConfigBridge, NestConfigModule } from './nest-config.bridge.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  roomModule<ConfigClientOptions>('ConfigClient');

/** Makes the loader with its client, and waits for the first configuration. */
async function load(...given: ConstructorParameters<typeof ConfigStart>): Promise<ConfigLoader> {
  const loader = new ConfigStart(...given).loader();
  await loader.start();
  return loader;
}

/**
 * Central configuration for a service: `CONFIG_URL` and the service's name are enough.
 *
 * The values are loaded before other providers are made. They are read by `ConfigClient`, `@ConfigValue` and Nest's
 * `ConfigService`, and change while the application runs. An application that has a `ConfigModule.forRoot()` of its own
 * lists this module before it; what that loads is complete from `onModuleInit` on, beneath the remote values.
 *
 * @example
 * @Module({ imports: [ConfigClientModule.forRoot({ name: 'orders', defaults: { db: { pool: { max: 10 } } } })] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule, HealthCoreModule, NestConfigModule],
  providers: [
    {
      provide: ConfigLoader,
      useFactory: load,
      inject: [
        { token: MODULE_OPTIONS_TOKEN, optional: true },
        ServiceIdentity,
        Clock,
        EventHub,
        ModulesContainer,
        { token: ConfigServerLocator, optional: true },
      ],
    },
    {
      provide: ConfigClient,
      useFactory: (loader: ConfigLoader) => loader.client,
      inject: [ConfigLoader],
    },
    NestConfigBridge,
    configServiceProvider,
    ConfigValueExplorer,
    ConfigContributor,
    LiveSections,
    FeatureFlags,
    FeatureFlagGuard,
    ReadinessCheck,
    ErrorRateCheck,
    ChangeTrial,
    UsageReporter,
    ConfigClientMeasurements,
  ],
  exports: [ConfigClient, ConfigLoader, FeatureFlags, LiveSections, configServiceProvider],
})
export class ConfigClientModule extends ConfigurableModuleClass {
  /**
   * Makes parts of the configuration injectable, each with its type and its rules: classes with `@ConfigSection`, and
   * what `configSection` made of a schema.
   *
   * @example
   * @Module({ imports: [ConfigClientModule.forFeature(DatabaseConfig)] })
   */
  static forFeature(...given: readonly (SectionType | SchemaSection)[]): DynamicModule {
    const sections = given.map(sectionOf);
    return {
      module: ConfigFeatureModule,
      providers: [
        { provide: CONFIG_SECTIONS, useValue: sections },
        ...sections.map((section) => ({
          provide: section.token,
          useFactory: (live: LiveSections) => live.get(section),
          inject: [LiveSections],
        })),
      ],
      exports: sections.map(({ token }) => token),
    };
  }
}

/** The sections of one feature. */
@Module({})
class ConfigFeatureModule {}

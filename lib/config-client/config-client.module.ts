import { Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CommonModule } from '../common/common.module.js';
import { EventHub } from '../common/event-hub.js';
import { roomModule } from '../common/module-builder.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { ConfigContributor } from './config-client.contributor.js';
import { ConfigClient } from './config-client.js';
import { ConfigClientMeasurements } from './config-client.measurements.js';
import { type ConfigClientOptions, readConfigClientOptions } from './config-client.options.js';
import { ConfigLoader, type RemoteConfig } from './config-loader.js';
import { ConfigValueExplorer } from './config-value.explorer.js';
import { EnvironmentVariables } from './environment-variables.js';
import { configServiceProvider, NestConfigBridge, NestConfigModule } from './nest-config.bridge.js';
import { SnapshotFile } from './snapshot.js';
import { ConfigServerSource } from './sources/config-server.source.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  roomModule<ConfigClientOptions>('ConfigClient');

/** Makes the loader with its client, and waits for the first configuration. */
async function load(
  options: ConfigClientOptions | undefined,
  identity: ServiceIdentity,
  clock: Clock,
  events: EventHub,
): Promise<ConfigLoader> {
  const settings = readConfigClientOptions(options);
  identity.claim('config.name', settings.name);
  const variables = new EnvironmentVariables({ ...process.env });
  const { urls, interval, push, headers } = {
    urls: settings.url,
    ...settings.refresh,
    ...settings,
  };
  const source =
    settings.source ??
    (urls.length > 0
      ? new ConfigServerSource({ urls, clock, interval, push, headers })
      : undefined);
  const client = new ConfigClient(variables, events, source?.name ?? 'no config server');
  const remote = source && remoteOf(source, settings, identity);
  const parts = { client, settings, variables, clock, events };
  const loader = new ConfigLoader({ ...parts, ...(remote ? { remote } : {}) });
  await loader.start();
  return loader;
}

function remoteOf(
  source: RemoteConfig['source'],
  settings: ReturnType<typeof readConfigClientOptions>,
  identity: ServiceIdentity,
): RemoteConfig {
  const { profiles, label, snapshot } = settings;
  const request = { name: identity.name, profiles, ...(label === undefined ? {} : { label }) };
  return {
    source,
    request,
    ...(snapshot === undefined ? {} : { file: new SnapshotFile(snapshot, request) }),
  };
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
  imports: [CommonModule, NestConfigModule],
  providers: [
    {
      provide: ConfigLoader,
      useFactory: load,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }, ServiceIdentity, Clock, EventHub],
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
    ConfigClientMeasurements,
  ],
  exports: [ConfigClient, configServiceProvider],
})
export class ConfigClientModule extends ConfigurableModuleClass {}

import { Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { ConfigAssembler } from './config-assembler.js';
import type { ConfigEndpoint } from './config-endpoint.js';
import { ConfigPublisher } from './config-publisher.js';
import { ConfigRepository } from './config-repository.js';
import { ConfigServerContributor } from './config-server.contributor.js';
import { CONFIG_ENDPOINTS, ConfigServerController } from './config-server.controller.js';
import {
  CONFIG_SERVER_SETTINGS,
  type ConfigServerOptions,
  type ConfigServerSettings,
  readConfigServerOptions,
} from './config-server.options.js';
import { ConfigUsages } from './config-usages.js';
import { ENDPOINTS } from './endpoints/built-in.js';
import { ReservedPaths } from './reserved-paths.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  roomModule<ConfigServerOptions>('ConfigServer');

/**
 * A config server: it gives services their configuration as Spring Cloud Config does, and tells them of changes.
 *
 * @example
 * @Module({ imports: [ConfigServerModule.forRoot({ repository: fileRepository({ path: 'config' }) })] })
 * class ConfigServerApp {}
 */
@Module({
  imports: [CommonModule],
  providers: [
    {
      provide: CONFIG_SERVER_SETTINGS,
      useFactory: readConfigServerOptions,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
    },
    {
      provide: ConfigRepository,
      useFactory: ({ repository }: ConfigServerSettings) => repository,
      inject: [CONFIG_SERVER_SETTINGS],
    },
    ConfigAssembler,
    ConfigPublisher,
    ConfigUsages,
    ...ENDPOINTS,
    {
      provide: CONFIG_ENDPOINTS,
      useFactory: (...endpoints: ConfigEndpoint[]) => endpoints,
      inject: [...ENDPOINTS],
    },
    ReservedPaths,
    ConfigServerController,
    ConfigServerContributor,
  ],
  exports: [ConfigRepository],
})
export class ConfigServerModule extends ConfigurableModuleClass {}

import { type DynamicModule, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { CLIENT_SETTINGS, type ClientModuleOptions, readClientOptions } from './client.options.js';
import { ContractBinder } from './contract/contract-binder.js';
import { contractProviders, type ContractFeature } from './contract/contract-feature.js';
import { ServiceClient } from './service-client.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = roomModule<ClientModuleOptions>('Client');

/** Holds the contracts of one `forFeature`. */
@Module({})
class ClientFeatureModule {}

/**
 * Calls to other services: `ServiceClient`, and contracts; needs `UpstreamModule` and `DiscoveryModule`.
 *
 * @example
 * @Module({ imports: [ClientModule.forRoot({ propagate: ['x-tenant'] }), ClientModule.forFeature([InventoryContract])] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule],
  providers: [
    {
      provide: CLIENT_SETTINGS,
      useFactory: readClientOptions,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
    },
    ContractBinder,
    ServiceClient,
  ],
  exports: [CLIENT_SETTINGS, ServiceClient],
})
export class ClientModule extends ConfigurableModuleClass {
  /** @param options all have defaults; wrong ones throw `InvalidOptionsError` when the application starts */
  static override forRoot(
    options: ClientModuleOptions & { readonly isGlobal?: boolean } = {},
  ): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * Makes contracts injectable as clients of their services, in the module that imports it.
   *
   * @throws InvalidOptionsError at start for a contract that no client can be made of
   * @example
   * ClientModule.forFeature([OrdersContract, { contract: InventoryContract, fallback: InventoryFallback }])
   */
  static forFeature<const C extends readonly object[]>(features: {
    readonly [I in keyof C]: ContractFeature<C[I]>;
  }): DynamicModule {
    const { providers, tokens } = contractProviders(features);
    return { module: ClientFeatureModule, providers, exports: tokens };
  }
}

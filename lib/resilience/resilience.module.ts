import { type DynamicModule, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { CircuitsModule } from './circuits.module.js';
import { PolicyDefinitions, RESILIENCE_OPTIONS } from './policy-definitions.js';
import { Resilience } from './resilience.js';
import { readResilienceOptions, type ResilienceOptions } from './resilience.options.js';
import { ResilientExplorer } from './resilient.explorer.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  roomModule<ResilienceOptions>('Resilience');

/**
 * Policies around the application's own functions: `@Resilient` and `Resilience.execute`.
 *
 * Calls to other services need none of it: every upstream has its own circuit, retries, limits and time-outs.
 *
 * @example
 * ResilienceModule.forRoot({ policies: { pricing: { timeout: '800ms', retry: 2 } } })
 */
@Module({
  imports: [CommonModule, CircuitsModule],
  providers: [
    {
      provide: RESILIENCE_OPTIONS,
      useFactory: readResilienceOptions,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
    },
    PolicyDefinitions,
    Resilience,
    ResilientExplorer,
  ],
  exports: [Resilience],
})
export class ResilienceModule extends ConfigurableModuleClass {
  /** @param options all have defaults; wrong ones throw `InvalidOptionsError` when the application starts */
  static override forRoot(
    options: ResilienceOptions & { readonly isGlobal?: boolean } = {},
  ): DynamicModule {
    return super.forRoot(options);
  }
}

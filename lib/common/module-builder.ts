import { ConfigurableModuleBuilder } from '@nestjs/common';

/**
 * The `forRoot` and `forRootAsync` of a room, by Nest's own builder; global unless `isGlobal: false` is given.
 *
 * @example
 * const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = roomModule<HealthOptions>('Health');
 */
export function roomModule<Options>(room: string) {
  return new ConfigurableModuleBuilder<Options>({ moduleName: `Rookery${room}` })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, extras) => ({
      ...definition,
      global: extras.isGlobal,
    }))
    .build();
}

import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CommonModule } from '../common/common.module.js';
import { EventHub } from '../common/event-hub.js';
import { roomModule } from '../common/module-builder.js';
import { RequestContext } from '../common/request-context.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { RookeryLogger } from './rookery-logger.js';
import {
  readTelemetryOptions,
  TELEMETRY_SETTINGS,
  type TelemetryOptions,
  type TelemetrySettings,
} from './telemetry.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  roomModule<TelemetryOptions>('Telemetry');

/**
 * Makes a service seen from outside; at present by `RookeryLogger`.
 *
 * @example
 * @Module({ imports: [TelemetryModule.forRoot({ level: 'debug' })] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule],
  providers: [
    {
      provide: TELEMETRY_SETTINGS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: TelemetryOptions) => readTelemetryOptions(options),
    },
    {
      provide: RookeryLogger,
      inject: [TELEMETRY_SETTINGS, Clock, RequestContext, ServiceIdentity, EventHub],
      useFactory: (
        settings: TelemetrySettings,
        clock: Clock,
        context: RequestContext,
        identity: ServiceIdentity,
        events: EventHub,
      ) => RookeryLogger.open({ settings, clock, context, identity, events }),
    },
  ],
  exports: [RookeryLogger],
})
export class TelemetryModule extends ConfigurableModuleClass {
  /** Switches telemetry on. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  constructor(@Inject(TELEMETRY_SETTINGS) settings: TelemetrySettings, identity: ServiceIdentity) {
    super();
    identity.claim('telemetry.name', settings.name, settings.version);
  }
}

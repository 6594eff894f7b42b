import { type DynamicModule, Inject, Module } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CommonModule } from '../common/common.module.js';
import { EventHub } from '../common/event-hub.js';
import { MetadataExplorer } from '../common/metadata-explorer.js';
import { roomModule } from '../common/module-builder.js';
import { RequestContext } from '../common/request-context.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { Metrics } from './metrics/metrics.js';
import { MetricsEndpoint } from './metrics/metrics.endpoint.js';
import { ServerCertificate } from './metrics/server-certificate.js';
import { OwnRequests } from './requests/own-requests.js';
import { RequestLog } from './requests/request-log.js';
import { RookeryLogger } from './rookery-logger.js';
import { Tracing } from './tracing/tracing.js';
import {
  readTelemetryOptions,
  TELEMETRY_SETTINGS,
  type TelemetryOptions,
  type TelemetrySettings,
} from './telemetry.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  roomModule<TelemetryOptions>('Telemetry');

/**
 * Makes a service seen from outside: lines of JSON, figures for Prometheus, spans for OpenTelemetry.
 *
 * @example
 * @Module({ imports: [TelemetryModule.forRoot({ level: 'debug', metrics: true })] })
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
      inject: [TELEMETRY_SETTINGS, Clock, RequestContext, ServiceIdentity, EventHub, OwnRequests],
      useFactory: (
        settings: TelemetrySettings,
        clock: Clock,
        context: RequestContext,
        identity: ServiceIdentity,
        events: EventHub,
        requests: OwnRequests,
      ) => {
        if (!settings.logs) return undefined;
        const routeOf = requests.followRoutes();
        return RookeryLogger.open({ settings, clock, context, identity, events, routeOf });
      },
    },
    {
      provide: Metrics,
      inject: [TELEMETRY_SETTINGS, Clock, EventHub, OwnRequests, ServiceIdentity, MetadataExplorer],
      useFactory: (
        { metrics: { enabled, maxSeries: limit } }: TelemetrySettings,
        clock: Clock,
        events: EventHub,
        requests: OwnRequests,
        identity: ServiceIdentity,
        explorer: MetadataExplorer,
      ) =>
        enabled
          ? new Metrics({ clock, events, requests, identity, explorer, limit }).open()
          : undefined,
    },
    MetricsEndpoint,
    OwnRequests,
    RequestLog,
    ServerCertificate,
    Tracing,
  ],
  exports: [RookeryLogger, Metrics, TELEMETRY_SETTINGS],
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

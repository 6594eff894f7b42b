import {
  type DynamicModule,
  Inject,
  Logger,
  Module,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { CommonModule } from '../common/common.module.js';
import { EventHub } from '../common/event-hub.js';
import { roomModule } from '../common/module-builder.js';
import { ServiceIdentity } from '../common/service-identity.js';
import { HealthCoreModule } from '../health/health-core.module.js';
import { builtInBackends, defaultBackend } from './backends/built-in.js';
import { DiscoveredHealth } from './discovered-health.js';
import { DISCOVERY_BACKEND, type DiscoveryBackend } from './discovery-backend.js';
import { DiscoveryClient } from './discovery-client.js';
import { DiscoveryContributor } from './discovery.contributor.js';
import { DiscoveryMeasurements } from './discovery.measurements.js';
import {
  DISCOVERY_SETTINGS,
  type DiscoveryOptions,
  type DiscoverySettings,
  readDiscoveryOptions,
} from './discovery.options.js';
import { Drain } from './drain.js';
import { EarlyShutdownModule } from './early-shutdown.module.js';
import { LocalInstance } from './local-instance.js';
import { ManifestPublisher } from './manifest/manifest-publisher.js';
import { RouteCollector } from './manifest/route-collector.js';
import { NeededServices } from './needed-services.js';
import { OwnStatus } from './own-status.js';
import { Reachability } from './reachability.js';
import { Registrar } from './registrar.js';
import { RegistrationNotices } from './registration-notices.js';
import { RequestsInFlight } from './requests-in-flight.js';
import { ScreenedSource } from './screened-source.js';
import { ServiceWatches } from './service-watches.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  roomModule<DiscoveryOptions>('Discovery');

/**
 * Registers this service where others find it, and finds the others.
 *
 * Nest's own `DiscoveryModule` finds providers and is another thing; where both are imported, this one is also exported
 * as `ServiceDiscoveryModule`.
 *
 * @throws InvalidOptionsError at start, when an option cannot be used
 * @example
 * @Module({ imports: [DiscoveryModule.forRoot({ name: 'orders' })] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule, HealthCoreModule, EarlyShutdownModule],
  providers: [
    {
      provide: DISCOVERY_SETTINGS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: DiscoveryOptions) => readDiscoveryOptions(options),
    },
    { provide: DISCOVERY_BACKEND, inject: [DISCOVERY_SETTINGS, Clock], useFactory: makeBackend },
    DiscoveredHealth,
    DiscoveryClient,
    DiscoveryContributor,
    DiscoveryMeasurements,
    Drain,
    LocalInstance,
    ManifestPublisher,
    {
      // Nothing to say where nothing is needed: health then has no line of it.
      provide: NeededServices,
      inject: [DISCOVERY_SETTINGS, ServiceWatches, EventHub],
      useFactory: (settings: DiscoverySettings, watches: ServiceWatches, events: EventHub) =>
        settings.services.length > 0 ? new NeededServices(settings, watches, events) : undefined,
    },
    OwnStatus,
    Reachability,
    Registrar,
    RegistrationNotices,
    RequestsInFlight,
    RouteCollector,
    ScreenedSource,
    ServiceWatches,
  ],
  exports: [DiscoveryClient, Drain, LocalInstance, ManifestPublisher, Registrar, RouteCollector],
})
export class DiscoveryModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  /** Switches discovery on; everything has a default. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  constructor(
    @Inject(DISCOVERY_SETTINGS) settings: DiscoverySettings,
    @Inject(DISCOVERY_BACKEND) private readonly backend: DiscoveryBackend,
    private readonly registrar: Registrar,
    private readonly watches: ServiceWatches,
    identity: ServiceIdentity,
  ) {
    super();
    identity.claim('discovery.name', settings.name, settings.version);
  }

  /** Leases first, then streams, then the connections both used. */
  async onApplicationShutdown(): Promise<void> {
    await this.registrar.leave();
    this.watches.close();
    await this.backend.close?.();
  }
}

function makeBackend(settings: DiscoverySettings, clock: Clock): DiscoveryBackend {
  const { backend, heartbeat, namespace } = settings;
  const logger = new Logger('Discovery');
  const make =
    typeof backend === 'string'
      ? builtInBackends[backend]()
      : (backend ?? defaultBackend(process.env));
  return make({
    clock,
    namespace,
    ttl: heartbeat.ttl,
    heartbeat: heartbeat.interval,
    warn: (message) => logger.warn(message),
  });
}

import { Global, Module } from '@nestjs/common';
import { DiscoveryModule as ProviderDiscoveryModule } from '@nestjs/core';
import { Clock, SystemClock } from './clock.js';
import { EventHub } from './event-hub.js';
import { MetadataExplorer } from './metadata-explorer.js';
import { Operators } from './operators.js';
import { RequestContext } from './request-context.js';
import { RequestListener } from './request-listener.js';
import { ServiceIdentity } from './service-identity.js';

const PROVIDERS = [
  { provide: Clock, useClass: SystemClock },
  EventHub,
  MetadataExplorer,
  Operators,
  RequestContext,
  RequestListener,
  ServiceIdentity,
];

/** What every room needs; each room's module imports it, and Nest makes one of it for each application. */
@Global()
@Module({ imports: [ProviderDiscoveryModule], providers: PROVIDERS, exports: PROVIDERS })
export class CommonModule {}

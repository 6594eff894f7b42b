import { type DynamicModule, Module } from '@nestjs/common';
import { CommonModule } from '../common/common.module.js';
import { roomModule } from '../common/module-builder.js';
import { EarlyShutdownModule } from '../discovery/early-shutdown.module.js';
import { LoadBalancingModule } from '../load-balancing/load-balancing.module.js';
import { DiscoverableTcpServer } from './discoverable-tcp-server.js';
import { GrpcClients } from './grpc/grpc-clients.js';
import { getClientToken } from './inject-client.decorator.js';
import { MessageContext } from './message-context.js';
import { MessageContextInterceptor } from './message-context.interceptor.js';
import { MessagingClients } from './messaging-clients.js';
import {
  MESSAGING_SETTINGS,
  type MessagingOptions,
  readMessagingOptions,
} from './messaging.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } =
  roomModule<MessagingOptions>('Messaging');

/** Holds the clients of one `forFeature`. */
@Module({})
class MessagingFeatureModule {}

/**
 * Messages between services over TCP, by `@nestjs/microservices`, with discovery: `InjectClient` sends, and
 * `DiscoverableTcpServer` receives. It needs `DiscoveryModule` in the same application.
 *
 * @example
 * @Module({ imports: [MessagingModule.forRoot(), MessagingModule.forFeature(['payments'])] })
 * class AppModule {}
 */
@Module({
  imports: [CommonModule, EarlyShutdownModule, LoadBalancingModule],
  providers: [
    {
      provide: MESSAGING_SETTINGS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: MessagingOptions) => readMessagingOptions(options),
    },
    DiscoverableTcpServer,
    GrpcClients,
    MessageContext,
    MessageContextInterceptor,
    MessagingClients,
  ],
  exports: [
    DiscoverableTcpServer,
    GrpcClients,
    MessageContext,
    MessageContextInterceptor,
    MessagingClients,
  ],
})
export class MessagingModule extends ConfigurableModuleClass {
  /** Switches messaging on; once for each application. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Makes the clients of services injectable, by `@InjectClient('payments')`, in the module that imports it. */
  static forFeature(services: readonly string[]): DynamicModule {
    const providers = services.map((service) => ({
      provide: getClientToken(service),
      inject: [MessagingClients],
      useFactory: (clients: MessagingClients) => clients.get(service),
    }));
    return { module: MessagingFeatureModule, providers, exports: providers };
  }
}

export { DiscoverableTcpServer } from './discoverable-tcp-server.js';
export { DiscoveryClientProxy } from './discovery-client-proxy.js';
export { getClientToken, InjectClient } from './inject-client.decorator.js';
export { MessagingClients } from './messaging-clients.js';
export { NoTcpPortError } from './messaging.errors.js';
export { MessagingModule } from './messaging.module.js';
export type {
  MessagingOptions,
  MessagingServerOptions,
  MessagingServiceOptions,
} from './messaging.options.js';

export { DiscoverableTcpServer } from './discoverable-tcp-server.js';
export { DiscoveryClientProxy } from './discovery-client-proxy.js';
export { GrpcClients, type GrpcDiscoveryOptions } from './grpc/grpc-clients.js';
export { getClientToken, InjectClient } from './inject-client.decorator.js';
export { MessageContextInterceptor } from './message-context.interceptor.js';
export { type CarryOptions, MessageContext, type MessageHeaders } from './message-context.js';
export { MessagingClients } from './messaging-clients.js';
export { LateMessageError, NoTcpPortError } from './messaging.errors.js';
export { MessagingModule } from './messaging.module.js';
export type {
  MessagingOptions,
  MessagingServerOptions,
  MessagingServiceOptions,
} from './messaging.options.js';

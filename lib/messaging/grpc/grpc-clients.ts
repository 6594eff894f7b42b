import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { DiscoveryClient } from '../../discovery/discovery-client.js';
import { LocalInstance } from '../../discovery/local-instance.js';
import { MessageContext } from '../message-context.js';
import { carryingInterceptor, loadGrpc, registerResolver } from './grpc-resolver.js';

/** What a client of Nest's gRPC transport needs to find its service through discovery. */
export interface GrpcDiscoveryOptions {
  readonly url: string;
  readonly channelOptions: Record<string, unknown>;
}

/**
 * Lets Nest's own gRPC clients find services through discovery, with their calls shared among all living instances, and
 * with trace, correlation id and deadline in their metadata. Needs `@grpc/grpc-js`.
 *
 * @example
 * ClientsModule.registerAsync([{
 *   name: 'STOCK',
 *   inject: [GrpcClients],
 *   useFactory: async (clients: GrpcClients) => ({
 *     transport: Transport.GRPC,
 *     options: { package: 'stock', protoPath: 'stock.proto', ...(await clients.options('inventory')) },
 *   }),
 * }])
 */
@Injectable()
export class GrpcClients {
  /** gRPC keeps its resolvers for the whole process; two applications in one must not find each other's services. */
  private readonly scheme = `discovery-${randomBytes(6).toString('hex')}`;
  private ready: Promise<Record<string, unknown>> | undefined;

  constructor(
    private readonly discovery: DiscoveryClient,
    private readonly local: LocalInstance,
    private readonly context: MessageContext,
    private readonly clock: Clock,
  ) {}

  /** The `url` and `channelOptions` of a client; also makes `discovery:///inventory` a URL that gRPC understands. */
  async options(service: string): Promise<GrpcDiscoveryOptions> {
    const channelOptions = await (this.ready ??= this.prepare());
    return { url: `${this.scheme}:///${service}`, channelOptions: { ...channelOptions } };
  }

  /** Tells the others at which port this service takes gRPC calls; before the application listens. */
  announce(port: number): void {
    this.local.announce({ ports: { grpc: port } });
  }

  private async prepare(): Promise<Record<string, unknown>> {
    const grpc = await loadGrpc();
    registerResolver(grpc, this.scheme, this.discovery);
    registerResolver(grpc, 'discovery', this.discovery);
    return {
      interceptors: [
        carryingInterceptor(
          grpc,
          () => this.context.outgoing(),
          () => this.deadline(),
        ),
      ],
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    };
  }

  private deadline(): Date | undefined {
    const { timeLeft } = this.context;
    return timeLeft === undefined ? undefined : new Date(this.clock.wallTime() + timeLeft);
  }
}

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { RequestContext } from '../common/request-context.js';
import { DiscoveryClient } from '../discovery/discovery-client.js';
import { LoadBalancers } from '../load-balancing/load-balancers.js';
import { outlierSettings } from '../load-balancing/outlier.options.js';
import { LeastRequestStrategy } from '../load-balancing/strategies/least-request.strategy.js';
import { Deadlines } from '../upstream/deadline-list.js';
import { DiscoveryClientProxy } from './discovery-client-proxy.js';
import { MessageRoute } from './message-route.js';
import { MESSAGING_SETTINGS, type MessagingSettings } from './messaging.options.js';
import { TcpEndpoint } from './tcp-endpoint.js';

/** When an instance that fails is left alone: the defaults of an upstream. */
const OUTLIER = outlierSettings(undefined, 'messaging.outlier');

/** A client for each service that messages are sent to; whoever asks for the same service shares it. */
@Injectable()
export class MessagingClients implements OnApplicationShutdown {
  private readonly clients = new Map<string, DiscoveryClientProxy>();
  private readonly deadlines: Deadlines;

  constructor(
    @Inject(MESSAGING_SETTINGS) private readonly settings: MessagingSettings,
    private readonly balancers: LoadBalancers,
    private readonly discovery: DiscoveryClient,
    private readonly context: RequestContext,
    private readonly clock: Clock,
  ) {
    this.deadlines = new Deadlines(clock);
  }

  /** The client of a service; throws `ServiceNameError` when no service can have that name. */
  get(service: string): DiscoveryClientProxy {
    let client = this.clients.get(service);
    if (!client) this.clients.set(service, (client = this.create(service)));
    return client;
  }

  onApplicationShutdown(): void {
    for (const client of this.clients.values()) client.close();
  }

  private create(service: string): DiscoveryClientProxy {
    const { clock, deadlines, discovery, settings } = this;
    const { connectTimeout } = settings;
    const own = settings.services[service];
    const { balancer, close } = this.balancers.follow<TcpEndpoint>(service, {
      strategy: new LeastRequestStrategy(),
      create: (instance) => new TcpEndpoint(instance, clock, connectTimeout),
      outlier: OUTLIER,
    });
    const route = new MessageRoute({
      service,
      balancer,
      discovery,
      deadlines,
      clock,
      timeout: own?.timeout ?? settings.timeout,
      idempotent: new Set(own?.idempotent),
    });
    return new DiscoveryClientProxy(route, this.context, close);
  }
}

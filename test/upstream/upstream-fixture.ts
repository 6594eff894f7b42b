import { Clock, SystemClock } from '../../lib/common/clock.js';
import { EventHub, type EventName } from '../../lib/common/event-hub.js';
import { RequestContext } from '../../lib/common/request-context.js';
import type { ServiceInstance } from '../../lib/discovery/service-instance.js';
import { LoadBalancer } from '../../lib/load-balancing/load-balancer.js';
import { Circuit } from '../../lib/resilience/circuit.js';
import { Deadlines } from '../../lib/upstream/deadline-list.js';
import { ConcurrencyLimit } from '../../lib/upstream/concurrency-limit.js';
import { Retries } from '../../lib/upstream/retries.js';
import { WaitingCalls } from '../../lib/upstream/transport.js';
import { Http1Transport } from '../../lib/upstream/transports/http1.transport.js';
import { ConnectionPool } from '../../lib/upstream/transports/http1/connection-pool.js';
import type { UndiciTransportMaker } from '../../lib/upstream/transports/undici.transport.js';
import { UpstreamEndpoint } from '../../lib/upstream/upstream-endpoint.js';
import { readUpstreamOptions, type UpstreamOptions } from '../../lib/upstream/upstream.options.js';
import { Upstream } from '../../lib/upstream/upstream.js';
import { type RecordedCallOptions, RecordedCall } from './recorded-call.js';

/** An instance on this machine. */
export function instanceOn(port: number, more: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    id: `orders-${port}`,
    service: 'orders',
    host: '127.0.0.1',
    port,
    ports: {},
    scheme: 'http',
    status: 'up',
    weight: 1,
    tags: [],
    metadata: {},
    ...more,
  };
}

/** Options of an upstream, and what carries its calls in place of our own transport. */
type FixtureOptions = UpstreamOptions & { readonly over?: UndiciTransportMaker };

/** An upstream "orders" over instances a test chooses, without discovery and Nest. */
export class UpstreamFixture {
  readonly upstream: Upstream;
  readonly balancer: LoadBalancer<UpstreamEndpoint>;
  readonly circuit: Circuit | undefined;
  readonly waiting: WaitingCalls;
  readonly deadlines: Deadlines;
  readonly events = new EventHub();
  readonly context: RequestContext;
  readonly happened: EventName[] = [];
  private readonly every = new Set<UpstreamEndpoint>();

  constructor(
    ports: readonly number[] | undefined,
    { over, ...options }: FixtureOptions = {},
    clock?: Clock,
  ) {
    const settings = readUpstreamOptions({ defaults: options })('orders');
    const { events } = this;
    const time = clock ?? new SystemClock();
    this.context = new RequestContext(time);
    events.onAny((name) => {
      if (name !== 'call.ended' && name !== 'call.waited') this.happened.push(name);
    });
    this.deadlines = new Deadlines(time);
    this.waiting = new WaitingCalls(settings.pending);
    const http1 = new Http1Transport(this.deadlines);
    const transport = over?.(http1) ?? http1;
    this.balancer = new LoadBalancer<UpstreamEndpoint>({
      clock: time,
      events,
      strategy: settings.strategy(),
      outlier: settings.outlier || undefined,
      subset: settings.subset,
      create: (instance) => {
        const { connections, timeouts, tls } = settings;
        const { keepAlive } = timeouts;
        const { waiting } = this;
        const endpoint = new UpstreamEndpoint(
          instance,
          transport.open({ service: 'orders', instance, connections, keepAlive, waiting, tls }),
        );
        this.every.add(endpoint);
        return endpoint;
      },
      onUpdate: () => this.upstream?.onInstances(),
    });
    this.circuit = settings.circuit
      ? new Circuit('orders', settings.circuit, time, events)
      : undefined;
    this.upstream = new Upstream({
      name: 'orders',
      balancer: this.balancer,
      circuit: this.circuit,
      timeouts: settings.timeouts,
      retries: new Retries(settings.retry),
      limit: settings.concurrency ? new ConcurrencyLimit(settings.concurrency) : undefined,
      hedgeAfter: settings.hedge ? settings.hedge.after : undefined,
      context: this.context,
      waiting: this.waiting,
      deadlines: this.deadlines,
      clock: time,
      events,
    });
    if (ports) this.show(ports);
  }

  /** Makes these the service's instances. */
  show(ports: readonly number[]): void {
    this.balancer.update(ports.map((port) => instanceOn(port)));
  }

  /** Dispatches a call that writes down what it hears. */
  call(options?: RecordedCallOptions): RecordedCall {
    const call = new RecordedCall(options);
    this.upstream.dispatch(call);
    return call;
  }

  endpoint(index = 0): UpstreamEndpoint {
    const endpoint = this.balancer.endpoints[index];
    if (!endpoint) throw new Error(`there is no endpoint ${index}`);
    return endpoint;
  }

  figures(index = 0): ConnectionPool['figures'] {
    const { channel } = this.endpoint(index);
    if (!(channel instanceof ConnectionPool)) throw new Error('another kind of channel');
    return channel.figures;
  }

  close(): void {
    for (const endpoint of this.every) endpoint.channel.close();
    this.balancer.close();
  }
}

import type { Clock } from '../common/clock.js';
import type { DiscoveryClient } from '../discovery/discovery-client.js';
import type { LoadBalancer } from '../load-balancing/load-balancer.js';
import type { Deadlines } from '../upstream/deadline-list.js';
import { NoEndpointError, type UpstreamError } from '../upstream/upstream.errors.js';
import { NoTcpPortError } from './messaging.errors.js';
import type { TcpEndpoint } from './tcp-endpoint.js';

/** What a route is made of. */
export interface MessageRouteParts {
  readonly service: string;
  readonly balancer: LoadBalancer<TcpEndpoint>;
  readonly discovery: DiscoveryClient;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** How long an answer may take, in ms. */
  readonly timeout: number;
  /** The patterns that may be sent twice. */
  readonly idempotent: ReadonlySet<string>;
}

const takesMessages = (endpoint: TcpEndpoint): boolean => endpoint.tcpPort !== undefined;

/** The way of messages to one service: which instance is next, and what to say when there is none. */
export class MessageRoute {
  readonly service: string;
  readonly deadlines: Deadlines;
  readonly timeout: number;
  readonly idempotent: ReadonlySet<string>;

  constructor(private readonly parts: MessageRouteParts) {
    this.service = parts.service;
    this.deadlines = parts.deadlines;
    this.timeout = parts.timeout;
    this.idempotent = parts.idempotent;
  }

  /** Milliseconds that only go forward. */
  now(): number {
    return this.parts.clock.now();
  }

  /** The next instance; every one that is given wants its `complete`. */
  pick(excluded?: TcpEndpoint): TcpEndpoint | undefined {
    const { balancer } = this.parts;
    if (excluded) return balancer.pick(takesMessages, excluded);
    const endpoint = balancer.pick();
    if (!endpoint || takesMessages(endpoint)) return endpoint;
    // Only while instances without a TCP port are among them; the filter costs nothing otherwise.
    balancer.complete(endpoint, 'cancelled', 0);
    return balancer.pick(takesMessages);
  }

  /** Waits for the registry's first answer, if it has not come yet; true if it is worth picking again. */
  async awaitInstances(): Promise<boolean> {
    const { discovery, service, timeout } = this.parts;
    if (discovery.view(service).instances.length > 0) return false;
    const view = await discovery.ready(service, timeout);
    return view.instances.length > 0;
  }

  /** How a call ended for its instance. */
  complete(
    endpoint: TcpEndpoint,
    outcome: 'success' | 'failure' | 'cancelled',
    begun: number,
  ): void {
    this.parts.balancer.complete(endpoint, outcome, this.now() - begun);
    endpoint.release();
  }

  /** Why there is no instance to take a message. */
  noEndpoint(): UpstreamError {
    const { discovery, service } = this.parts;
    const { all, instances } = discovery.view(service);
    return instances.length > 0 && instances.every(({ ports }) => ports['tcp'] === undefined)
      ? new NoTcpPortError(service, instances.length)
      : new NoEndpointError(service, all.length);
  }
}

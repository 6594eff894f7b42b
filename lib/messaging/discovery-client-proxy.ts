import { Logger } from '@nestjs/common';
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { AsyncSubject, Observable } from 'rxjs';
import { messageOf } from '../common/errors.js';
import { UpstreamConnectionError } from '../upstream/upstream.errors.js';
import { MAX_ATTEMPTS, MessageCall } from './message-call.js';
import type { MessageRoute } from './message-route.js';
import type { MessageContext } from './message-context.js';
import { carry } from './packet-context.js';
import type { TcpConnection } from './tcp-connection.js';
import type { TcpEndpoint } from './tcp-endpoint.js';

/**
 * Nest's `ClientProxy` for a service that is found through discovery: over TCP, each message to one of its instances.
 *
 * Unlike `ClientTCP` it fails over to another instance when one cannot be connected to, gives up after a timeout, says
 * so when an event could not be sent, and carries trace and correlation id along.
 *
 * `send` rejects with `NoEndpointError`, `NoTcpPortError`, `UpstreamConnectionError` or `UpstreamTimeoutError`; what
 * the other side threw comes as Nest's own client gives it. Delivery of events is at most once.
 *
 * @example
 * constructor(@InjectClient('payments') private readonly payments: ClientProxy) {}
 * charge(order: Order) { return firstValueFrom(this.payments.send('charge', order)); }
 */
export class DiscoveryClientProxy extends ClientProxy {
  private readonly logger = new Logger('Messaging');
  private readonly isRepeatable = ({ pattern }: ReadPacket): boolean => {
    const { idempotent } = this.route;
    return idempotent.size > 0 && idempotent.has(this.normalizePattern(pattern as string));
  };

  constructor(
    private readonly route: MessageRoute,
    private readonly context: MessageContext,
    private readonly stop: () => void,
  ) {
    super();
  }

  /** Sends a message when it is subscribed to, and gives its answers. */
  override send<R = unknown>(pattern: unknown, data: unknown): Observable<R> {
    // Nest's own answer to a message without a pattern or without data.
    if (isNil(pattern) || isNil(data)) return super.send<R>(pattern, data);
    return new Observable<R>((observer) =>
      this.call(this.packetOf(pattern, data), this.createObserver(observer)),
    );
  }

  /** Sends an event at once, to one instance; completes when it has left this process, and errors if it could not. */
  override emit<R = unknown>(pattern: unknown, data: unknown): Observable<R> {
    if (isNil(pattern) || isNil(data)) return super.emit<R>(pattern, data);
    const outcome = new AsyncSubject<R>();
    void this.report(this.dispatchEvent<R>(this.packetOf(pattern, data, true)), outcome);
    return outcome.asObservable();
  }

  /** Waits until the registry has answered about the service; connections are made when they are needed. */
  override async connect(): Promise<void> {
    await this.route.awaitInstances();
  }

  /** Follows the service no longer; calls under way may finish. */
  override close(): void {
    this.stop();
  }

  /** There is a socket for each instance, and none that could be given: always throws. */
  override unwrap(): never {
    throw new Error(`The client of "${this.route.service}" has no single socket to unwrap.`);
  }

  protected override publish(
    packet: ReadPacket,
    callback: (packet: WritePacket) => void,
  ): () => void {
    const call = this.call(packet, callback);
    return () => call.unsubscribe();
  }

  protected override async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    let endpoint = this.route.pick();
    if (!endpoint && (await this.route.awaitInstances())) endpoint = this.route.pick();
    if (!endpoint) throw this.route.noEndpoint();
    for (let attempt = 1; ; attempt++) {
      const begun = this.route.now();
      const connection = await this.connectionTo(endpoint, begun);
      if (!(connection instanceof Error)) {
        await this.write(connection, packet, endpoint);
        return undefined as T;
      }
      const next: TcpEndpoint | undefined =
        attempt < MAX_ATTEMPTS ? this.route.pick(endpoint) : undefined;
      if (!next) throw connection;
      endpoint = next;
    }
  }

  private call(packet: ReadPacket, callback: (packet: WritePacket) => void): MessageCall {
    const call = new MessageCall(this.route, packet, this.isRepeatable, callback);
    call.start(this.context.timeLeft);
    return call;
  }

  private async report<R>(dispatched: Promise<R>, outcome: AsyncSubject<R>): Promise<void> {
    try {
      outcome.next(await dispatched);
      outcome.complete();
    } catch (error) {
      // Nest's own client loses an event without a word when nobody has subscribed.
      if (!outcome.observed) {
        this.logger.error(`An event for "${this.route.service}" is lost: ${messageOf(error)}`);
      }
      outcome.error(error);
    }
  }

  private async connectionTo(
    endpoint: TcpEndpoint,
    begun: number,
  ): Promise<TcpConnection | UpstreamConnectionError> {
    try {
      return endpoint.open ?? (await endpoint.connect());
    } catch (error) {
      this.route.complete(endpoint, 'failure', begun);
      return new UpstreamConnectionError(this.route.service, messageOf(error), false, error);
    }
  }

  private async write(connection: TcpConnection, packet: ReadPacket, endpoint: TcpEndpoint) {
    const begun = this.route.now();
    try {
      const pattern = this.normalizePattern(packet.pattern as string);
      await connection.dispatch({ ...packet, pattern });
      this.route.complete(endpoint, 'success', begun);
    } catch (error) {
      this.route.complete(endpoint, 'failure', begun);
      throw new UpstreamConnectionError(this.route.service, messageOf(error), true, error);
    }
  }

  private packetOf(pattern: unknown, data: unknown, isEvent = false): ReadPacket {
    const packet: ReadPacket = { pattern, data };
    // Nest 12 has this hook; Nest 11 has none.
    this.onDispatchHook?.(packet);
    return carry(packet, this.context.sending(this.route.service, isEvent));
  }
}

function isNil(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

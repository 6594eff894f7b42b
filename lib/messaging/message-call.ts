import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { messageOf } from '../common/errors.js';
import { Deadline } from '../upstream/deadline-list.js';
import {
  DeadlineExceededError,
  UpstreamConnectionError,
  UpstreamTimeoutError,
} from '../upstream/upstream.errors.js';
import type { MessageRoute } from './message-route.js';
import type { AnswerListener, TcpConnection } from './tcp-connection.js';
import type { TcpEndpoint } from './tcp-endpoint.js';

/** How many instances are tried. */
export const MAX_ATTEMPTS = 3;

/**
 * One message on its way to its answer.
 *
 * It is one object that waits in the list of deadlines and for the connection itself, and that RxJS can unsubscribe from:
 * this is the hot path, where a chain of operators halves the throughput.
 */
export class MessageCall extends Deadline implements AnswerListener {
  private over = false;
  private attempts = 0;
  private begun = 0;
  /** How long an answer may take, in ms. */
  private limit = 0;
  private answered = false;
  private endpoint: TcpEndpoint | undefined;
  private connection: TcpConnection | undefined;
  /** Under which the connection knows it. */
  private id = '';
  private failure: Error | undefined;

  constructor(
    private readonly route: MessageRoute,
    private readonly packet: ReadPacket,
    private readonly isRepeatable: (packet: ReadPacket) => boolean,
    private readonly callback: (packet: WritePacket) => void,
  ) {
    super();
  }

  /** Sends it to some instance; at most so many ms are left for it. */
  start(timeLeft: number | undefined): void {
    const { route } = this;
    this.begun = route.now();
    this.limit = route.timeout;
    if (timeLeft !== undefined && timeLeft < this.limit) {
      // No call outlives the request it is made for.
      if (timeLeft <= 0) return this.fail(new DeadlineExceededError(route.service));
      this.limit = Math.ceil(timeLeft);
    }
    route.deadlines.set(this, this.limit, this.begun);
    const endpoint = route.pick();
    if (endpoint) this.attempt(endpoint);
    else void this.waitForInstances();
  }

  /** Nobody wants the answer any more. */
  unsubscribe(): void {
    if (!this.over) this.settle('cancelled');
  }

  onPacket(packet: WritePacket): void {
    this.answered = true;
    if (packet.isDisposed) {
      // It has forgotten this call by itself.
      this.connection = undefined;
      this.settle('success');
    }
    // A stream of answers: each one may take its time.
    else this.route.deadlines.set(this, this.limit, this.route.now());
    this.callback(packet);
  }

  onLost(reason: string): void {
    // Another one that was lost may have ended this one.
    if (this.over) return;
    this.connection = undefined;
    this.failure = new UpstreamConnectionError(this.route.service, reason, true);
    if (this.endpoint && !this.answered && this.isRepeatable(this.packet)) {
      this.tryAnother(this.endpoint);
    } else this.fail(this.failure, 'failure');
  }

  override expire(): void {
    const { service } = this.route;
    const waiting = this.endpoint === undefined;
    this.settle('failure');
    this.callback({
      err: waiting ? this.route.noEndpoint() : new UpstreamTimeoutError(service, this.limit),
    });
  }

  private async waitForInstances(): Promise<void> {
    const worthIt = await this.route.awaitInstances().catch((error: unknown) => {
      this.failure = error as Error;
      return false;
    });
    if (this.over) return;
    const endpoint = worthIt ? this.route.pick() : undefined;
    if (endpoint) this.attempt(endpoint);
    else this.fail(this.failure ?? this.route.noEndpoint());
  }

  private attempt(endpoint: TcpEndpoint): void {
    this.attempts += 1;
    this.endpoint = endpoint;
    const connection = endpoint.open;
    if (connection) return this.send(connection);
    endpoint.connect().then(
      (opened) => this.over || this.send(opened),
      (error: unknown) => this.over || this.onUnreachable(endpoint, error),
    );
  }

  private send(connection: TcpConnection): void {
    this.connection = connection;
    try {
      this.id = connection.request(this.packet, this);
    } catch (error) {
      // Ours: something that cannot be written as JSON, for instance.
      this.fail(error);
    }
  }

  private onUnreachable(endpoint: TcpEndpoint, error: unknown): void {
    const reason = messageOf(error);
    this.failure = new UpstreamConnectionError(this.route.service, reason, false, error);
    this.tryAnother(endpoint);
  }

  private tryAnother(failed: TcpEndpoint): void {
    this.endpoint = undefined;
    this.route.complete(failed, 'failure', this.begun);
    const next = this.attempts < MAX_ATTEMPTS ? this.route.pick(failed) : undefined;
    if (next) this.attempt(next);
    else this.fail(this.failure);
  }

  private fail(err: unknown, outcome: 'failure' | 'cancelled' = 'cancelled'): void {
    this.settle(outcome);
    this.callback({ err });
  }

  private settle(outcome: 'success' | 'failure' | 'cancelled'): void {
    this.over = true;
    this.route.deadlines.clear(this);
    this.connection?.forget(this.id);
    const { endpoint } = this;
    this.endpoint = undefined;
    if (endpoint) this.route.complete(endpoint, outcome, this.begun);
  }
}

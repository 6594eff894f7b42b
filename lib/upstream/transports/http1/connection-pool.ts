import { TLSSocket } from 'node:tls';
import { Logger } from '@nestjs/common';
import type { Deadlines } from '../../deadline-list.js';
import {
  type Attempt,
  Channel,
  type ChannelFigures,
  type ChannelOptions,
} from '../../transport.js';
import type { FlushQueue } from '../../flush-queue.js';
import { UpstreamBusyError } from '../../upstream.errors.js';
import { dial } from '../dial.js';
import { type ConnectionOwner, Http1Connection } from './connection.js';

/** A connection is given up this much before its server would, so that the two do not meet half-way; in ms. */
const SAFETY = 1_000;

/**
 * The connections to one endpoint: the one used last is used next, so that those not needed grow old and close.
 *
 * When all are busy, attempts wait in order.
 */
export class ConnectionPool extends Channel implements ConnectionOwner {
  private readonly logger = new Logger('Upstream');
  private readonly all = new Set<Http1Connection>();
  private readonly idle: Http1Connection[] = [];
  private readonly queue = new Set<Attempt>();
  private retired = false;
  private certificateExpiry = 0;

  constructor(
    private readonly options: ChannelOptions,
    private readonly deadlines: Deadlines,
    readonly flushes: FlushQueue,
  ) {
    super();
  }

  get service(): string {
    return this.options.service;
  }

  override get figures(): ChannelFigures {
    const certificateExpiry = this.certificateExpiry;
    return {
      connections: this.all.size,
      idle: this.idle.length,
      queued: this.queue.size,
      ...(certificateExpiry > 0 && { certificateExpiry }),
    };
  }

  override send(attempt: Attempt): void {
    const roomy = this.all.size < this.options.connections;
    const reused = attempt.wantsFresh && roomy ? undefined : this.takeIdle(attempt.startedAt);
    if (reused !== undefined) reused.send(attempt);
    else if (this.all.size < this.options.connections) this.connect(attempt);
    else this.enqueue(attempt);
  }

  override withdraw(attempt: Attempt): void {
    if (this.queue.delete(attempt)) this.options.waiting.count--;
  }

  override retire(): void {
    this.retired = true;
    while (this.idle.length > 0) this.idle.pop()?.destroy();
  }

  override close(): void {
    this.retire();
    for (const attempt of this.queue) {
      this.withdraw(attempt);
      attempt.onFailure(new UpstreamBusyError(this.service, 0), false);
    }
    for (const connection of this.all) connection.destroy();
  }

  onIdle(connection: Http1Connection): void {
    const next = this.dequeue();
    if (next !== undefined) return connection.send(next);
    if (this.retired) return connection.destroy();
    this.idle.push(connection);
    this.deadlines.set(connection, this.idleTime(connection), this.deadlines.coarseNow);
  }

  onClosed(connection: Http1Connection): void {
    this.deadlines.clear(connection);
    this.all.delete(connection);
    const at = this.idle.lastIndexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
    const next = this.dequeue();
    if (next !== undefined) this.connect(next);
  }

  onStrayError(error: unknown): void {
    this.logger.error(
      `The code that called "${this.service}" threw when its call had ended`,
      error instanceof Error ? error.stack : error,
    );
  }

  private takeIdle(now: number): Http1Connection | undefined {
    for (;;) {
      const connection = this.idle.pop();
      if (connection === undefined) return undefined;
      const late = connection.due <= now;
      this.deadlines.clear(connection);
      if (connection.usable && !late) return connection;
      connection.destroy();
    }
  }

  private connect(attempt: Attempt): void {
    const { socket, event } = dial(this.options);
    if (socket instanceof TLSSocket) {
      socket.once('secureConnect', () => {
        this.certificateExpiry = Date.parse(socket.getPeerCertificate().valid_to) || 0;
      });
    }
    const connection = new Http1Connection(this, socket, event);
    this.all.add(connection);
    connection.send(attempt);
  }

  private enqueue(attempt: Attempt): void {
    const { waiting } = this.options;
    if (waiting.count >= waiting.most) {
      return attempt.onFailure(new UpstreamBusyError(this.service, waiting.count), false);
    }
    waiting.count++;
    this.queue.add(attempt);
    attempt.onQueued();
  }

  private dequeue(): Attempt | undefined {
    for (const attempt of this.queue) {
      this.withdraw(attempt);
      return attempt;
    }
    return undefined;
  }

  private idleTime(connection: Http1Connection): number {
    const { keepAlive } = this.options;
    const announced = connection.keepAliveSeconds;
    return announced < 0 ? keepAlive : Math.max(1, Math.min(keepAlive, announced * 1_000 - SAFETY));
  }
}

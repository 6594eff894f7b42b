import { Logger } from '@nestjs/common';
import type { Client } from 'undici';
import { type Attempt, Channel, type ChannelOptions } from '../transport.js';
import { UpstreamBusyError } from '../upstream.errors.js';
import { UndiciConnection, type UndiciConnectionOwner } from './undici-connection.js';

/** undici's clients for one endpoint; when all are busy, attempts wait in order. */
export class UndiciChannel extends Channel implements UndiciConnectionOwner {
  private readonly logger = new Logger('Upstream');
  private readonly all = new Set<UndiciConnection>();
  private readonly idle: UndiciConnection[] = [];
  private readonly queue = new Set<Attempt>();
  private isRetired = false;

  constructor(
    private readonly options: ChannelOptions,
    private readonly connect: () => Client,
    /** Where tunnels go: undici makes an error of every answer that is not 101, and its body is lost. */
    private readonly tunnels: Channel,
  ) {
    super();
  }

  get service(): string {
    return this.options.service;
  }

  override send(attempt: Attempt): void {
    if (attempt.upgrades) return this.tunnels.send(attempt);
    const isRoomy = this.all.size < this.options.connections;
    const reused = attempt.wantsFresh && isRoomy ? undefined : this.idle.pop();
    if (reused !== undefined) return reused.send(attempt);
    return isRoomy ? this.open(attempt) : this.enqueue(attempt);
  }

  override withdraw(attempt: Attempt): void {
    if (this.queue.delete(attempt)) this.options.waiting.count--;
    else this.tunnels.withdraw(attempt);
  }

  override retire(): void {
    this.isRetired = true;
    this.tunnels.retire();
    while (this.idle.length > 0) this.idle.pop()?.destroy();
  }

  override close(): void {
    this.retire();
    this.tunnels.close();
    for (const attempt of this.queue) {
      this.withdraw(attempt);
      attempt.onFailure(new UpstreamBusyError(this.service, 0), false);
    }
    for (const connection of this.all) connection.destroy();
  }

  onIdle(connection: UndiciConnection): void {
    const next = this.dequeue();
    if (next !== undefined) connection.send(next);
    else if (this.isRetired) connection.destroy();
    else this.idle.push(connection);
  }

  onClosed(connection: UndiciConnection): void {
    this.all.delete(connection);
    const at = this.idle.lastIndexOf(connection);
    if (at >= 0) this.idle.splice(at, 1);
    const next = this.dequeue();
    if (next !== undefined) this.open(next);
  }

  onStrayError(error: unknown): void {
    this.logger.error(
      `The code that called "${this.service}" threw when its call had ended`,
      error instanceof Error ? error.stack : error,
    );
  }

  private open(attempt: Attempt): void {
    const connection = new UndiciConnection(this, this.connect());
    this.all.add(connection);
    connection.send(attempt);
  }

  private enqueue(attempt: Attempt): void {
    const { waiting } = this.options;
    if (waiting.count >= waiting.most)
      return attempt.onFailure(new UpstreamBusyError(this.service, waiting.count), false);
    waiting.count++;
    this.queue.add(attempt);
    return attempt.onQueued();
  }

  private dequeue(): Attempt | undefined {
    for (const attempt of this.queue) {
      this.withdraw(attempt);
      return attempt;
    }
    return undefined;
  }
}

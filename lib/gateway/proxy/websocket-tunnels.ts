import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';
import type { WebSocketTunnel } from './websocket-tunnel.js';

/** How long tunnels get to end by themselves when the application closes, in ms. */
const FAREWELL = 1_000;

/** The WebSockets that are open or being opened, how many there may be, and their end. */
@Injectable()
export class WebSocketTunnels implements BeforeApplicationShutdown {
  private readonly open = new Set<WebSocketTunnel>();
  private readonly waiting = new Set<() => void>();
  private places: number;

  constructor(
    private readonly clock: Clock,
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
  ) {
    this.places = settings.limits.webSockets;
  }

  /** How many are open. */
  get count(): number {
    return this.open.size;
  }

  /** Takes a place for a handshake; false when all are taken. Every place wants its `leave`. */
  enter(): boolean {
    if (this.places <= 0) return false;
    this.places--;
    return true;
  }

  leave(): void {
    this.places++;
  }

  add(tunnel: WebSocketTunnel): void {
    this.open.add(tunnel);
  }

  remove(tunnel: WebSocketTunnel): void {
    this.open.delete(tunnel);
    if (this.open.size === 0) for (const done of this.waiting) done();
  }

  /**
   * Ends them all. A WebSocket may go on for days, so nobody waits for it as for a request: it lives through the drain,
   * and when the last request is answered its connections end. A closing server would wait for them without limit.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.places = -Infinity;
    for (const tunnel of this.open) tunnel.end();
    await this.emptied();
    for (const tunnel of this.open) tunnel.destroy();
  }

  private async emptied(): Promise<void> {
    if (this.open.size === 0) return;
    const { signal, cancel } = this.clock.deadline(FAREWELL);
    await new Promise<void>((resolve) => {
      this.waiting.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.waiting.clear();
    cancel();
  }
}

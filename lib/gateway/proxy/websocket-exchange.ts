import type { Socket } from 'node:net';
import { CORRELATION_HEADER } from '../../common/request-context.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import { NodeExchange } from './node-exchange.js';
import { headerOf } from './headers.js';
import { acceptsHandshake } from './websocket-handshake.js';
import { WebSocketTunnel } from './websocket-tunnel.js';
import type { WebSocketTunnels } from './websocket-tunnels.js';

/**
 * The opening of a WebSocket on its way through the gateway: a request like any other until its upstream answers 101; any
 * other answer is passed on, and ends the connection.
 */
export class WebSocketExchange extends NodeExchange {
  private tunnels: WebSocketTunnels | undefined = undefined;
  private tunnel: WebSocketTunnel | undefined = undefined;

  override get upgrades(): boolean {
    return true;
  }

  /** Watches its client from now on; it has a place for the tunnel already. */
  prepare(tunnels: WebSocketTunnels): void {
    this.tunnels = tunnels;
    this.request.socket.on('data', this.onEarly).on('end', this.onGone);
    this.connection.add(this);
  }

  override head(endpoint: Endpoint): string {
    return `${super.head(endpoint).slice(0, -2)}connection: Upgrade\r\nupgrade: websocket\r\n\r\n`;
  }

  override start(): void {
    this.begin();
  }

  override begin(): void {
    if (!this.done) super.begin();
  }

  override abandon(): void {
    if (this.tunnel !== undefined) return;
    if (this.attempt === undefined) this.fail(502);
    else super.abandon();
  }

  override onUpgrade(rawHeaders: string[], upstream: Socket, early: Buffer): void {
    const { response, request, route } = this;
    const client = request.socket;
    if (this.done || client.destroyed || !acceptsHandshake(request, rawHeaders)) {
      upstream.on('error', () => {}).destroy();
      return this.fail(502);
    }
    client.off('data', this.onEarly).off('end', this.onGone).pause();
    response.detachSocket(client);
    this.status = 101;
    this.tunnel = new WebSocketTunnel({
      client,
      upstream,
      deadlines: route.upstream.deadlines,
      idle: route.timeouts.webSocketIdle,
      onClosed: () => this.onClosed(),
    });
    this.tunnels?.add(this.tunnel);
    client.write(this.switching(rawHeaders), 'latin1');
    if (early.length > 0) client.write(early);
    this.tunnel.start();
  }

  protected override finish(): void {
    if (!this.done) this.tunnels?.leave();
    super.finish();
  }

  private onClosed(): void {
    if (this.tunnel !== undefined) this.tunnels?.remove(this.tunnel);
    this.finish();
  }

  /** The head for the client: what ends at this hop was taken away, so it is said anew. */
  private switching(rawHeaders: readonly string[]): string {
    let head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n';
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
    }
    if (headerOf(rawHeaders, CORRELATION_HEADER) === undefined)
      head += `${CORRELATION_HEADER}: ${this.scope.correlationId}\r\n`;
    return `${head}\r\n`;
  }

  /** A client that does not wait for its answer may be speaking to someone behind it. */
  private readonly onEarly = () => {
    if (!this.done) this.refuse(400);
  };

  private readonly onGone = () => {
    this.request.socket.destroy();
  };
}

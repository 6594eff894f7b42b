import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GatewaySecurityOptions } from '../../../lib/gateway/door/security.options.js';
import type { RouteDefinition } from '../../../lib/gateway/routes/route-definition.js';
import type { GatewayOptions } from '../../../lib/gateway/gateway.options.js';
import { type ADAPTERS, NestColony } from '../support/nest-colony.js';
import { exchangeRaw } from '../support/raw-http.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A gateway with one upstream that tells what it was sent. */
export class GuardedGateway {
  /** The requests that the upstream got. */
  readonly arrived: IncomingMessage[] = [];
  port = 0;
  readonly colony = new NestColony();
  private upstream: Server | undefined;

  constructor(private readonly adapter: (typeof ADAPTERS)[number]) {}

  async start(
    security: GatewaySecurityOptions,
    routes: readonly Partial<RouteDefinition>[] = [{}],
    more: GatewayOptions = {},
  ): Promise<this> {
    this.upstream = createServer((request, response) => {
      this.arrived.push(request);
      response.setHeader('access-control-allow-origin', 'https://upstream.example');
      response.end(JSON.stringify(request.headers));
    });
    this.upstream.on('upgrade', (request, socket) => {
      this.arrived.push(request);
      socket.end();
    });
    await new Promise<void>((resolve) => this.upstream?.listen(0, '127.0.0.1', resolve));
    const to = `http://127.0.0.1:${(this.upstream.address() as AddressInfo).port}`;
    const written = routes.map((route) => ({ path: '/api/{*rest}', to, ...route }));
    const gateway = { ...more, security, routes: written };
    const { port } = await this.colony.start('gateway', { adapter: this.adapter, gateway });
    this.port = port;
    return this;
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** The headers that the upstream saw. */
  async seen(headers: Record<string, string>): Promise<Record<string, string>> {
    return JSON.parse((await this.ask('/api/x', { headers })).text) as Record<string, string>;
  }

  /** Bytes as they are; the status of the first answer. */
  async raw(text: string): Promise<number> {
    const answer = await exchangeRaw(this.port, text, /\r\n\r\n/);
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
  }

  async stop(): Promise<void> {
    await this.colony.close();
    this.upstream?.closeAllConnections();
    this.upstream?.close();
  }
}

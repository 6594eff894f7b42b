import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { GatewayOptions } from '../../../lib/gateway/gateway.options.js';
import type { RouteDefinition } from '../../../lib/gateway/routes/route-definition.js';
import { NestColony, type StartedApp, type StartOptions } from '../support/nest-colony.js';

/** What an upstream was asked. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** How an upstream answers; what it leaves out is 200 with the seen request as JSON. */
export type Answering = (seen: Seen, response: ServerResponse) => unknown;

/** Upstreams that say what they were asked, behind a gateway with filters. */
export class FilteredGateway {
  readonly colony = new NestColony();
  readonly seen: Seen[] = [];
  private readonly servers: Server[] = [];

  /** A server that answers as it is told, else with what it was asked. */
  async upstream(answering?: Answering): Promise<string> {
    const server = createServer((request, response) => {
      void this.take(request).then(
        (seen) => {
          this.seen.push(seen);
          if (answering) return answering(seen, response);
          response.setHeader('content-type', 'application/json');
          return response.end(JSON.stringify(seen));
          // A gateway that gives a request up is what some tests are about.
        },
        () => response.destroy(),
      );
    });
    this.servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A gateway with routes to fixed addresses. */
  gateway(
    routes: readonly RouteDefinition[],
    options: GatewayOptions = {},
    app: Omit<StartOptions, 'gateway'> = {},
  ): Promise<StartedApp> {
    return this.colony.start('gateway', {
      upstream: { defaults: { circuit: false, outlier: false, retry: false } },
      ...app,
      gateway: { discovery: { enabled: false }, ...options, routes },
    });
  }

  async close(): Promise<void> {
    await this.colony.close();
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
  }

  private async take(request: IncomingMessage): Promise<Seen> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers, rawHeaders } = request;
    return { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() };
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Script = (request: IncomingMessage, response: ServerResponse) => void;

/** A config server that answers whatever a test wants, on a loopback port. */
export class ScriptedServer {
  readonly requests: IncomingMessage[] = [];
  private server: Server | undefined;
  private port = 0;

  constructor(public script: Script) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens, on the same port as before if it did before. */
  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.requests.push(request);
      this.script(request, response);
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Answers with one property source, as Spring does. */
export function answering(
  source: Record<string, unknown>,
  { version = '1', headers = {} }: { version?: string; headers?: Record<string, string> } = {},
): Script {
  return (_request, response) => {
    const propertySources = [{ name: 'file:orders.yml', source }];
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    response.end(
      JSON.stringify({ name: 'orders', profiles: ['prod'], label: null, version, propertySources }),
    );
  };
}

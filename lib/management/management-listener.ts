import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { RequestListener } from '../common/request-listener.js';
import { ManagementPages } from './management-pages.js';
import { MANAGEMENT_SETTINGS, type ManagementSettings } from './management.options.js';

/** Where the management endpoints are heard: on the service's own port, ahead of all routes, or on a port of theirs. */
@Injectable()
export class ManagementListener implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Management');
  private server: Server | undefined;

  constructor(
    private readonly pages: ManagementPages,
    @Inject(MANAGEMENT_SETTINGS) private readonly settings: ManagementSettings,
    listener: RequestListener,
  ) {
    const { path, port } = settings;
    if (port !== undefined) return;
    listener.takeFirst((request, response) => pages.take(path, request, response), {
      below: path,
    });
  }

  /** The port of its own, once it listens. */
  get port(): number | undefined {
    return (this.server?.address() as AddressInfo | null)?.port;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { port, host = '127.0.0.1', path } = this.settings;
    if (port === undefined) return;
    const server = createServer((request, response) => {
      if (this.pages.take(path, request, response)) return;
      // On a port of their own they stand at its root as well.
      if (!this.pages.take('', request, response)) response.writeHead(404).end();
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    this.logger.log(`The management endpoints are at http://${host}:${this.port}${path}`);
  }

  async onApplicationShutdown(): Promise<void> {
    const { server } = this;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

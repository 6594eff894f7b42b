import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { messageOf, RookeryError } from '../common/errors.js';
import { RequestListener } from '../common/request-listener.js';
import { ConfigAccess, Grant } from './config-access.js';
import { ConfigEndpoint, type ConfigReply } from './config-endpoint.js';
import { type ConfigRoute, routeOf } from './config-routes.js';
import { CONFIG_SERVER_SETTINGS, type ConfigServerSettings } from './config-server.options.js';
import { ReservedPaths } from './reserved-paths.js';

/** The token of all endpoints. */
export const CONFIG_ENDPOINTS = Symbol('ConfigEndpoints');

/** Said to what still works for a caller; an exception in its place would be made for every one of thousands. */
const GONE = 'the caller is gone';

/**
 * Answers the paths of a config server as Spring Cloud Config does, and those that are ours beside them.
 *
 * It stands at the server's own `request` event, where a path is still as it was sent. What begins like a path of the
 * application's own controllers, and `/health`, is left to them.
 */
@Injectable()
export class ConfigServerController implements OnApplicationBootstrap {
  private readonly logger = new Logger('ConfigServer');
  private readonly access: ConfigAccess;
  private readonly endpoints = new Map<ConfigRoute['kind'], ConfigEndpoint>();

  constructor(
    @Inject(CONFIG_SERVER_SETTINGS) private readonly settings: ConfigServerSettings,
    @Inject(CONFIG_ENDPOINTS) endpoints: readonly ConfigEndpoint[],
    private readonly reserved: ReservedPaths,
    private readonly listener: RequestListener,
  ) {
    this.access = new ConfigAccess(settings);
    for (const endpoint of endpoints) {
      for (const kind of endpoint.kinds) this.endpoints.set(kind, endpoint);
    }
    listener.take(
      (request, response) => this.take(request, response),
      settings.prefix === '' ? {} : { below: `${settings.prefix}/` },
    );
  }

  onApplicationBootstrap(): void {
    const { server } = this.listener;
    server?.once('listening', () => this.warnStrangers(server.address()));
  }

  private take(request: IncomingMessage, response: ServerResponse): boolean {
    const [path = '', search = ''] = (request.url ?? '').split('?', 2);
    const { prefix } = this.settings;
    if (!path.startsWith(`${prefix}/`)) return false;
    const segments = path.slice(prefix.length + 1).split('/');
    if (prefix === '' && this.reserved.has(segments[0] ?? '')) return false;
    const query = new URLSearchParams(search);
    const route = routeOf(request.method ?? '', segments, query);
    if (!route) return false;
    void this.answer(request, response, { route, query });
    return true;
  }

  private async answer(
    request: IncomingMessage,
    response: ServerResponse,
    { route, query }: { readonly route: ConfigRoute; readonly query: URLSearchParams },
  ): Promise<void> {
    const gone = new AbortController();
    const leave = () => gone.abort(GONE);
    response.once('close', leave);
    try {
      const grant = this.grantOf(request, route);
      const call = { route, request, response, query, grant, signal: gone.signal };
      const reply = await this.endpoints.get(route.kind)?.answer(call);
      if (reply && !gone.signal.aborted) send(request, response, reply);
    } catch (error) {
      if (!gone.signal.aborted) this.fail(request, response, error);
    } finally {
      response.off('close', leave);
    }
  }

  /** A webhook is signed, and carries no token. */
  private grantOf({ headers }: IncomingMessage, { kind }: ConfigRoute): Grant {
    const signed = kind === 'monitor' && this.settings.webhookSecret !== undefined;
    return signed ? new Grant() : this.access.grantOf(headers.authorization);
  }

  private fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent) return void response.destroy();
    const known = error instanceof RookeryError;
    if (!known)
      this.logger.error(messageOf(error), error instanceof Error ? error.stack : undefined);
    const status = known ? error.statusCode : 500;
    const body = JSON.stringify({
      status,
      error: known ? error.code : 'ERR_CONFIG_SERVER',
      message: known ? error.message : 'The config server failed; its log says why.',
    });
    const headers = {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="config", Bearer' } : {}),
      // A body that was not read to its end cannot be followed by another request.
      ...(status === 503 || !request.complete ? { connection: 'close' } : {}),
    };
    send(request, response, { status, headers, body });
  }

  private warnStrangers(address: AddressInfo | string | null): void {
    if (!this.access.isOpen || address === null || typeof address === 'string') return;
    if (/^(?:127\.|::1$|::ffff:127\.)/.test(address.address)) return;
    this.logger.warn(
      `Everyone who reaches port ${address.port} can read every configuration. Set configServer.token, or listen on 127.0.0.1.`,
    );
  }
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: ConfigReply,
): void {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length });
  response.end(request.method === 'HEAD' ? undefined : body);
}

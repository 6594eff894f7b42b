import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { parseDuration } from '../common/duration.js';
import { messageOf, RookeryError } from '../common/errors.js';
import { RequestListener } from '../common/request-listener.js';
import { environmentJson, isTraced, TRACED } from './environment-json.js';
import { ConfigPublisher, type PublishedConfig } from './config-publisher.js';
import { type ConfigQuery, readConfigQuery } from './config-request.js';
import { ConfigTokenError, InvalidConfigRequestError } from './config-server.errors.js';
import type { ConfigServerSettings } from './config-server.options.js';
import { ConfigToken } from './config-token.js';
import { ReservedPaths } from './reserved-paths.js';

/** The token of the checked options. */
export const CONFIG_SERVER_SETTINGS = Symbol('ConfigServerSettings');

/** So long a request is held at most, in ms. */
const LONGEST_WAIT = 60_000;

/** A file's ending in the second segment is another endpoint of Spring's, which is not ours to answer. */
const FLAT_FORMAT = /\.(?:ya?ml|properties|json)$/i;

/**
 * Answers `GET /{application}/{profile}[/{label}]` as Spring Cloud Config does.
 *
 * Ours on top, and offered by the header `X-Config-Wait`: an `ETag`, 304 for `If-None-Match`, and `?wait=30s`, which
 * holds a request until the configuration is another than the one the client names (by `If-None-Match` or `version`).
 *
 * It stands at the server's own `request` event, where a path is still as it was sent. What begins like a path of the
 * application's own controllers, and `/health`, is left to them.
 */
@Injectable()
export class ConfigServerController implements OnApplicationBootstrap {
  private readonly logger = new Logger('ConfigServer');
  private readonly token: ConfigToken | undefined;

  constructor(
    @Inject(CONFIG_SERVER_SETTINGS) private readonly settings: ConfigServerSettings,
    private readonly publisher: ConfigPublisher,
    private readonly reserved: ReservedPaths,
    private readonly listener: RequestListener,
  ) {
    this.token = settings.token === undefined ? undefined : new ConfigToken(settings.token);
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
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const { prefix } = this.settings;
    if (!path.startsWith(`${prefix}/`)) return false;
    const segments = path.slice(prefix.length + 1).split('/');
    if (segments.length < 2 || segments.length > 3 || segments.includes('')) return false;
    if (prefix === '' && this.reserved.has(segments[0] ?? '')) return false;
    if (segments.length === 2 && FLAT_FORMAT.test(segments[1] ?? '')) return false;
    void this.answer(request, response, { segments, query: new URLSearchParams(query) });
    return true;
  }

  private async answer(
    request: IncomingMessage,
    response: ServerResponse,
    asked: { readonly segments: readonly string[]; readonly query: URLSearchParams },
  ): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      if (this.token && !this.token.isIn(request.headers.authorization))
        throw new ConfigTokenError();
      const query = readConfigQuery(asked.segments);
      const known = versionsOf(request, asked.query);
      const limit = waitOf(asked.query);
      const has = (version: string) => known.has(version);
      const config = await this.publisher.publish(query, { has, limit, signal: gone.signal });
      if (gone.signal.aborted) return;
      this.send(request, response, { query, config, known });
    } catch (error) {
      if (!gone.signal.aborted) this.fail(request, response, error);
    }
  }

  private send(
    request: IncomingMessage,
    response: ServerResponse,
    { query, config, known }: Outcome,
  ): void {
    const traced = isTraced(request.headers.accept);
    const head = {
      vary: 'Accept',
      'cache-control': 'no-cache',
      'x-config-wait': `${LONGEST_WAIT / 1_000}s`,
    };
    if (known.has(config.version)) {
      response.writeHead(304, { ...head, etag: etagOf(config.version, traced) }).end();
      return;
    }
    const body = Buffer.from(environmentJson(query, config, traced));
    response.writeHead(200, {
      ...head,
      etag: etagOf(config.version, traced),
      'content-type': traced ? TRACED : 'application/json',
      'content-length': body.length,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  private fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const known = error instanceof RookeryError;
    if (!known)
      this.logger.error(messageOf(error), error instanceof Error ? error.stack : undefined);
    const status = known ? error.statusCode : 500;
    const body = JSON.stringify({
      status,
      error: known ? error.code : 'ERR_CONFIG_SERVER',
      message: known ? error.message : 'The config server failed; its log says why.',
    });
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      ...(status === 401 ? { 'www-authenticate': 'Basic realm="config", Bearer' } : {}),
      ...(status === 503 ? { connection: 'close' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  private warnStrangers(address: AddressInfo | string | null): void {
    if (this.token || address === null || typeof address === 'string') return;
    if (/^(?:127\.|::1$|::ffff:127\.)/.test(address.address)) return;
    this.logger.warn(
      `Everyone who reaches port ${address.port} can read every configuration. Set configServer.token, or listen on 127.0.0.1.`,
    );
  }
}

interface Outcome {
  readonly query: ConfigQuery;
  readonly config: PublishedConfig;
  readonly known: ReadonlySet<string>;
}

/** The two representations of one version are not the same bytes, so their tags differ (RFC 9110, 8.8.3). */
function etagOf(version: string, traced: boolean): string {
  return `"${version}${traced ? '.v2' : ''}"`;
}

/** The versions that the client says it has. */
function versionsOf(request: IncomingMessage, query: URLSearchParams): ReadonlySet<string> {
  const tags = request.headers['if-none-match'] ?? '';
  const versions = new Set<string>();
  for (const [, tag = ''] of tags.matchAll(/"([\w.-]{1,128})"/g))
    versions.add(tag.replace(/\.v2$/, ''));
  const version = query.get('version');
  if (version !== null && version !== '') versions.add(version);
  return versions;
}

function waitOf(query: URLSearchParams): number {
  const text = query.get('wait');
  if (text === null) return 0;
  const wait = parseDuration(text);
  if (wait === undefined) throw new InvalidConfigRequestError('wait');
  return Math.min(wait, LONGEST_WAIT);
}

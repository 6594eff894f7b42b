import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { parseDuration } from '../../common/duration.js';
import type { PublishedConfig } from '../config-assembler.js';
import { type ConfigCall, ConfigEndpoint, type ConfigReply } from '../config-endpoint.js';
import { ConfigPublisher } from '../config-publisher.js';
import { type ConfigQuery, readConfigQuery } from '../config-request.js';
import { InvalidConfigRequestError } from '../config-server.errors.js';
import { environmentJson, isTraced, TRACED } from '../environment-json.js';

/** So long a request is held at most, in ms. */
const LONGEST_WAIT = 60_000;

/**
 * `GET /{application}/{profile}[/{label}]`: the layers of a configuration, as Spring Cloud Config gives them.
 *
 * Ours on top, and offered by the header `X-Config-Wait`: an `ETag`, 304 for `If-None-Match`, and `?wait=30s`, which
 * holds a request until the configuration is another than the one the client names (by `If-None-Match` or `version`).
 */
@Injectable()
export class EnvironmentEndpoint extends ConfigEndpoint {
  override readonly kinds = ['environment'] as const;
  /** A change wakes thousands who are all told the same. */
  private readonly bodies = new WeakMap<PublishedConfig, Map<boolean, Buffer>>();

  constructor(private readonly publisher: ConfigPublisher) {
    super();
  }

  override async answer(call: ConfigCall): Promise<ConfigReply> {
    const { route, request, grant, signal } = call;
    const query = readConfigQuery(route.segments);
    grant.mustRead(query);
    const has = knownTo(request, call.query);
    const config = await this.publisher.publish(query, { has, limit: waitOf(call.query), signal });
    const traced = isTraced(request.headers.accept);
    const headers = headersOf(config, traced);
    if (has(config)) return { status: 304, headers };
    return {
      status: 200,
      headers: { ...headers, 'content-type': traced ? TRACED : 'application/json' },
      body: this.body(query, config, traced),
    };
  }

  private body(query: ConfigQuery, config: PublishedConfig, traced: boolean): Buffer {
    const known = this.bodies.get(config) ?? new Map<boolean, Buffer>();
    this.bodies.set(config, known);
    const body = known.get(traced) ?? Buffer.from(environmentJson(query, config, traced));
    known.set(traced, body);
    return body;
  }
}

function headersOf({ tag, stale }: PublishedConfig, traced: boolean): OutgoingHttpHeaders {
  return {
    vary: 'Accept',
    'cache-control': 'no-cache',
    'x-config-wait': `${LONGEST_WAIT / 1_000}s`,
    // The two representations of one state are not the same bytes, so their tags differ (RFC 9110, 8.8.3).
    etag: `"${tag}${traced ? '.v2' : ''}"`,
    ...(stale ? { 'x-config-stale': stale.since } : {}),
  };
}

/** Whether the client says that it has a configuration: by its tags, else by its version. */
function knownTo(
  request: IncomingMessage,
  query: URLSearchParams,
): (config: PublishedConfig) => boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) {
    const version = query.get('version');
    return (config) => version !== null && version !== '' && config.version === version;
  }
  const tags = new Set<string>();
  for (const [, tag = ''] of header.matchAll(/"([\w.-]{1,128})"/g))
    tags.add(tag.replace(/\.v2$/, ''));
  return (config) => tags.has(config.tag);
}

function waitOf(query: URLSearchParams): number {
  const text = query.get('wait');
  if (text === null) return 0;
  const wait = parseDuration(text);
  if (wait === undefined) throw new InvalidConfigRequestError('wait');
  return Math.min(wait, LONGEST_WAIT);
}

import { Injectable } from '@nestjs/common';
import type { PublishedConfig } from '../config-assembler.js';
import { type ConfigCall, ConfigEndpoint } from '../config-endpoint.js';
import { ConfigPublisher } from '../config-publisher.js';
import { readConfigQuery } from '../config-request.js';

/** A line goes over a quiet connection so often, in ms; proxies close what is silent for a minute. */
const HEARTBEAT = 15_000;

/**
 * `GET /{application}/{profile}[/{label}]/$watch`: server-sent events, one at once and one with every change; the data
 * is `{ "version", "label", "etag" }`, and the event's id is the tag that `If-None-Match` takes.
 */
@Injectable()
export class WatchEndpoint extends ConfigEndpoint {
  override readonly kinds = ['watch'] as const;

  constructor(private readonly publisher: ConfigPublisher) {
    super();
  }

  override async answer({
    route,
    request,
    response,
    grant,
    signal,
  }: ConfigCall): Promise<undefined> {
    const query = readConfigQuery(route.segments);
    grant.mustRead(query);
    const last = request.headers['last-event-id'];
    let tag = typeof last === 'string' ? last : undefined;
    const has = (config: PublishedConfig) => config.tag === tag;
    let config = await this.publisher.publish(query, { has, limit: 0, signal });
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    if (request.method === 'HEAD') return void response.end();
    response.flushHeaders();
    while (!signal.aborted) {
      const fresh = config.tag !== tag;
      tag = config.tag;
      // Somebody who does not read is not written to without end.
      if (!response.write(fresh ? eventOf(config) : ':\n\n') && response.writableLength > 65_536)
        break;
      try {
        config = await this.publisher.publish(query, { has, limit: HEARTBEAT, signal });
      } catch {
        // The server is stopping; the client opens the stream again elsewhere, or later.
        break;
      }
    }
    response.end();
    return undefined;
  }
}

function eventOf({ version, label, tag }: PublishedConfig): string {
  const data = JSON.stringify({ version, label: label ?? null, etag: `"${tag}"` });
  return `event: change\nid: ${tag}\ndata: ${data}\n\n`;
}

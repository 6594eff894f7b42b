import type { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InvalidOptionsError, messageOf } from '../common/errors.js';
import { type ManagementAnswer, ManagementEndpoint } from '../common/management-endpoint.js';
import { MetadataExplorer } from '../common/metadata-explorer.js';
import { Operators } from '../common/operators.js';
import { MANAGEMENT_SETTINGS, type ManagementSettings } from './management.options.js';
import { readJson } from './request-body.js';

/** What Spring Boot's Actuator calls its JSON; Spring Boot Admin asks for it. */
const JSON_TYPE = 'application/json';

/** Answers what operators ask, from the endpoints that the rooms and the application provide. */
@Injectable()
export class ManagementPages implements OnApplicationBootstrap {
  private readonly logger = new Logger('Management');
  private readonly endpoints = new Map<string, ManagementEndpoint>();

  constructor(
    private readonly explorer: MetadataExplorer,
    private readonly operators: Operators,
    @Inject(MANAGEMENT_SETTINGS) private readonly settings: ManagementSettings,
  ) {}

  onApplicationBootstrap(): void {
    for (const endpoint of this.explorer.providersOf(ManagementEndpoint)) {
      const other = this.endpoints.get(endpoint.id);
      if (other) {
        throw new InvalidOptionsError(
          `Two management endpoints are called '${endpoint.id}': ${other.constructor.name} and ${endpoint.constructor.name}. Give one of them another id.`,
        );
      }
      this.endpoints.set(endpoint.id, endpoint);
    }
  }

  /** Answers a request below a path; false when there is nothing, or nothing for the one who asks. */
  take(base: string, request: IncomingMessage, response: ServerResponse): boolean {
    const { url = '' } = request;
    if (!url.startsWith(base)) return false;
    const [path = '', query = ''] = url.slice(base.length).split('?', 2);
    if (path !== '' && !path.startsWith('/')) return false;
    // To a stranger there is nothing here, and that is all a stranger learns.
    if (!this.operators.includes(request)) return false;
    const parts = partsOf(path);
    if (parts === undefined) return false;
    const [id, ...rest] = parts;
    if (id === undefined) {
      send(response, { body: this.index(base, request) });
      return true;
    }
    const endpoint = this.endpoints.get(id);
    if (!endpoint) return false;
    void this.answer(endpoint, { rest, query, request, response });
    return true;
  }

  private index(base: string, request: IncomingMessage): object {
    const origin = `http://${request.headers.host ?? 'localhost'}`;
    const link = (path: string) => ({ href: `${origin}${base}${path}`, templated: false });
    const links = [...this.endpoints.keys()].toSorted().map((id) => [id, link(`/${id}`)]);
    return { _links: { self: link(''), ...Object.fromEntries(links) } };
  }

  private async answer(
    endpoint: ManagementEndpoint,
    { rest, query, request, response }: Asked,
  ): Promise<void> {
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
    try {
      if (!endpoint.methods.includes(method)) {
        return send(response, { status: 405, body: { error: 'This cannot be done here.' } });
      }
      if (method !== 'GET' && !this.operators.mayChange(request)) {
        return send(response, { status: 403, body: { error: 'A change needs the token.' } });
      }
      const body = method === 'GET' ? undefined : await readJson(request);
      const { headers } = request;
      const asked = { method, path: rest, query: new URLSearchParams(query), headers, body };
      const answer = await endpoint.answer(asked);
      send(response, answer ?? { status: 404, body: { error: 'There is no such thing.' } });
    } catch (error) {
      if (error instanceof InvalidOptionsError) {
        return send(response, { status: 400, body: { error: messageOf(error) } });
      }
      this.logger.error(`/${endpoint.id} failed: ${messageOf(error)}`);
      send(response, { status: 500, body: { error: 'It failed; the log says why.' } });
    }
  }

  /** What is set, for the listener. */
  get path(): string {
    return this.settings.path;
  }
}

interface Asked {
  readonly rest: readonly string[];
  readonly query: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function partsOf(path: string): readonly string[] | undefined {
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, answer: ManagementAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const { status = 200, contentType = JSON_TYPE, body } = answer;
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  response.writeHead(body === undefined && status === 200 ? 204 : status, {
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'",
  });
  response.end(text);
}

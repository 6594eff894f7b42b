import { Injectable } from '@nestjs/common';
import {
  type ConfigCall,
  ConfigEndpoint,
  type ConfigReply,
  textReply,
} from '../config-endpoint.js';
import { ConfigPublisher, NOW } from '../config-publisher.js';
import { ConfigRepository, type ConfigResource } from '../config-repository.js';
import { readConfigQuery, readResourcePath } from '../config-request.js';
import type { ConfigRoute } from '../config-routes.js';
import { ConfigNotFoundError } from '../config-server.errors.js';
import { mergedProperties, placeholdersOf } from '../merged-properties.js';

type ResourceRoute = Extract<ConfigRoute, { kind: 'resource' }>;

/**
 * `GET /{application}/{profile}/{label}/{path}`: a file as text, its placeholders filled from the configuration; as it
 * is for those who accept `application/octet-stream`.
 */
@Injectable()
export class ResourceEndpoint extends ConfigEndpoint {
  override readonly kinds = ['resource'] as const;

  constructor(
    private readonly publisher: ConfigPublisher,
    private readonly repository: ConfigRepository,
  ) {
    super();
  }

  override async answer({
    route,
    request,
    query,
    grant,
    signal,
  }: ConfigCall): Promise<ConfigReply> {
    const { segments, path: steps } = route as ResourceRoute;
    const asked = readConfigQuery(segments);
    const path = readResourcePath(steps);
    grant.mustRead(asked);
    grant.mustReadFile(path);
    const { sources } = await this.publisher.publish(asked, { ...NOW, signal });
    const { application, profiles, label } = asked;
    const found = await this.repository.resource({ application, profiles, label, path }, signal);
    if (!found) throw new ConfigNotFoundError('There is no such file.');
    const { headers } = request;
    const modified = modifiedOf(found);
    if (modified && headers['if-modified-since'] === modified['last-modified']) {
      return { status: 304, headers: modified };
    }
    const reply = headers.accept?.includes('application/octet-stream')
      ? textReply(found.bytes, 'application/octet-stream')
      : textReply(textOf(found, String(headers['accept-charset'] ?? 'utf-8')));
    if (typeof reply.body === 'string' && query.get('resolvePlaceholders') !== 'false') {
      const placeholders = placeholdersOf(mergedProperties(sources));
      return {
        ...reply,
        headers: { ...reply.headers, ...modified },
        body: String(placeholders.resolve(reply.body)),
      };
    }
    return { ...reply, headers: { ...reply.headers, ...modified } };
  }
}

function modifiedOf({ modified }: ConfigResource): { 'last-modified': string } | undefined {
  return modified === undefined ? undefined : { 'last-modified': new Date(modified).toUTCString() };
}

/** The text in the encoding the client names, which is UTF-8 where it names none that is known. */
function textOf({ bytes }: ConfigResource, charset: string): string {
  const [name = ''] = charset.split(/[,;]/);
  try {
    return new TextDecoder(name.trim()).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

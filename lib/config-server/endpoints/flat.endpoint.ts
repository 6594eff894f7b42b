import { Injectable } from '@nestjs/common';
import {
  type ConfigCall,
  ConfigEndpoint,
  type ConfigReply,
  jsonReply,
  textReply,
} from '../config-endpoint.js';
import { ConfigPublisher, NOW } from '../config-publisher.js';
import { readConfigQuery } from '../config-request.js';
import type { ConfigRoute } from '../config-routes.js';
import { documentOf, mergedProperties, placeholdersOf } from '../merged-properties.js';

type FlatRoute = Extract<ConfigRoute, { kind: 'flat' }>;

/** `GET [/{label}]/{application}-{profile}.yml|.properties|.json`: all layers merged into one document. */
@Injectable()
export class FlatEndpoint extends ConfigEndpoint {
  override readonly kinds = ['flat'] as const;

  constructor(private readonly publisher: ConfigPublisher) {
    super();
  }

  override async answer({ route, query, grant, signal }: ConfigCall): Promise<ConfigReply> {
    const { segments, format } = route as FlatRoute;
    const asked = readConfigQuery(segments);
    grant.mustRead(asked);
    const { sources } = await this.publisher.publish(asked, { ...NOW, signal });
    const properties = mergedProperties(sources);
    const placeholders = placeholdersOf(properties);
    const resolve = (value: unknown) =>
      query.get('resolvePlaceholders') === 'false' ? value : placeholders.resolve(value);
    if (format === 'json') return jsonReply(documentOf(properties, resolve));
    if (format === 'yml') {
      const { writeYaml } = await import('../../common/properties/yaml-format.js');
      return textReply(writeYaml(documentOf(properties, resolve)));
    }
    const lines = [...properties].map(
      ([key, { value }]) => `${oneLine(key)}: ${oneLine(resolve(value))}`,
    );
    return textReply(lines.join('\n'));
  }
}

/** A key and its value stay on their line, or they would be read as other properties. */
function oneLine(value: unknown): string {
  return String(value)
    .replaceAll('\r', String.raw`\r`)
    .replaceAll('\n', String.raw`\n`);
}

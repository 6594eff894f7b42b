import { Injectable, Optional } from '@nestjs/common';
import {
  type ManagementAnswer,
  ManagementEndpoint,
  type ManagementRequest,
} from '../../common/management-endpoint.js';
import { flatten } from '../../common/properties/property-tree.js';
import { ConfigClient } from '../../config-client/config-client.js';

/** What stands in the place of every value: names cannot tell which of them is a secret. */
const MASK = '******';

/**
 * Which configuration counts, key by key, and where each value comes from; the values themselves are never shown. The
 * shape is that of Spring Boot's `/env`.
 */
@Injectable()
export class EnvEndpoint extends ManagementEndpoint {
  override readonly id = 'env';

  constructor(@Optional() private readonly config?: ConfigClient) {
    super();
  }

  override answer({ path: [key] }: ManagementRequest): ManagementAnswer | undefined {
    const { config } = this;
    if (!config) return { body: { activeProfiles: [], propertySources: [] } };
    const keys = [...flatten(config.snapshot()).keys()];
    if (key !== undefined && !keys.includes(key)) return undefined;
    const sources = new Map<string, Record<string, object>>();
    for (const each of key === undefined ? keys : [key]) {
      for (const { name, origin } of config.explain(each).layers) {
        const properties = sources.get(name) ?? {};
        properties[each] = { value: MASK, ...(origin && { origin }) };
        sources.set(name, properties);
      }
    }
    const propertySources = [...sources].map(([name, properties]) => ({ name, properties }));
    const { version } = config;
    const winner = key === undefined ? undefined : config.explain(key).winner;
    return {
      body: {
        activeProfiles: profiles(),
        ...(version && { version }),
        ...(winner && { property: { source: winner, value: MASK } }),
        propertySources,
      },
    };
  }
}

function profiles(): readonly string[] {
  const named = process.env['APP_PROFILE'] ?? process.env['NODE_ENV'];
  return named ? named.split(',') : [];
}

import { Injectable } from '@nestjs/common';
import {
  type ConfigCall,
  ConfigEndpoint,
  type ConfigReply,
  jsonReply,
} from '../config-endpoint.js';
import { ConfigPublisher, NOW } from '../config-publisher.js';
import { readConfigQuery } from '../config-request.js';
import { InvalidConfigRequestError } from '../config-server.errors.js';
import { explained } from '../explanation.js';

/** `GET /{application}/{profile}[/{label}]/$explain?key=db.pool.max`: who says what of a key, and who wins. */
@Injectable()
export class ExplainEndpoint extends ConfigEndpoint {
  override readonly kinds = ['explain'] as const;

  constructor(private readonly publisher: ConfigPublisher) {
    super();
  }

  override async answer({ route, query, grant, signal }: ConfigCall): Promise<ConfigReply> {
    const asked = readConfigQuery(route.segments);
    grant.mustRead(asked);
    const key = query.get('key') ?? '';
    if (key === '' || key.length > 512) throw new InvalidConfigRequestError('key');
    const { sources, version, label } = await this.publisher.publish(asked, { ...NOW, signal });
    const { application, profiles } = asked;
    const about = { application, profiles, label: label ?? null, version };
    return jsonReply({ ...about, ...explained(sources, key) });
  }
}

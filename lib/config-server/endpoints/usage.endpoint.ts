import { Injectable } from '@nestjs/common';
import {
  type ConfigCall,
  ConfigEndpoint,
  type ConfigReply,
  jsonReply,
} from '../config-endpoint.js';
import { ConfigUsages, readUsage, USAGE_LIFE } from '../config-usages.js';
import { readBody, readObject } from '../request-body.js';

/** Two thousand keys fit, in bytes. */
const MOST_BYTES = 256 * 1024;

/**
 * `PUT /config/usage`: an instance says which keys it reads and which schema its configuration must fit, and says so again
 * before five minutes are over. Only `/config/preview` reads it.
 */
@Injectable()
export class UsageEndpoint extends ConfigEndpoint {
  override readonly kinds = ['usage'] as const;

  constructor(private readonly usages: ConfigUsages) {
    super();
  }

  override async answer({ request, grant }: ConfigCall): Promise<ConfigReply> {
    const usage = readUsage(readObject(await readBody(request, MOST_BYTES)));
    grant.mustRead(usage);
    this.usages.put(usage);
    return jsonReply({ expiresIn: `${USAGE_LIFE / 1_000}s` });
  }
}

import { Injectable } from '@nestjs/common';
import { messageOf } from '../../common/errors.js';
import {
  type ConfigCall,
  ConfigEndpoint,
  type ConfigReply,
  jsonReply,
} from '../config-endpoint.js';
import { ConfigPublisher, NOW } from '../config-publisher.js';
import { isName } from '../config-request.js';
import { ConfigBodyError } from '../config-server.errors.js';
import { type ConfigUsage, ConfigUsages, isTexts } from '../config-usages.js';
import { explained } from '../explanation.js';
import { isTouched } from '../key-match.js';
import { readBody, readObject } from '../request-body.js';

const MOST_BYTES = 256 * 1024;
const MOST_KEYS = 200;

interface Change {
  readonly application: string;
  readonly profile?: string;
  readonly keys: readonly string[];
}

/**
 * `POST /config/preview`: which running instances, keys and schemas a change would touch.
 *
 * It knows what instances have said of themselves at `/config/usage`, and changes nothing.
 */
@Injectable()
export class PreviewEndpoint extends ConfigEndpoint {
  override readonly kinds = ['preview'] as const;

  constructor(
    private readonly usages: ConfigUsages,
    private readonly publisher: ConfigPublisher,
  ) {
    super();
  }

  override async answer({ request, grant, signal }: ConfigCall): Promise<ConfigReply> {
    grant.mustAdminister();
    const change = readChange(readObject(await readBody(request, MOST_BYTES)));
    const users = this.usages.of(change.application).filter((usage) => fits(usage, change));
    const touched = users.flatMap((usage) => {
      const keys = change.keys.filter((key) => usage.keys.some((read) => isTouched(read, key)));
      return keys.length === 0 ? [] : [{ usage, keys }];
    });
    const services = await Promise.all(
      touched.map(({ usage, keys }) => this.report(usage, keys, signal)),
    );
    const unread = change.keys.filter((key) => !touched.some(({ keys }) => keys.includes(key)));
    return jsonReply({ asked: users.length, services, unread });
  }

  /** An instance, and what its keys are now: a layer that stands above the change would hide it. */
  private async report(usage: ConfigUsage, keys: readonly string[], signal: AbortSignal) {
    const { application, instance, profiles, label, schema } = usage;
    const query = { application, profiles, ...(label === undefined ? {} : { label }) };
    const about = { ...query, instance, schema: schema ?? null };
    try {
      const { sources } = await this.publisher.publish(query, { ...NOW, signal });
      const now = keys.map((key) => {
        const { value, winner, origin } = explained(sources, key);
        return { key, value: value ?? null, winner: winner ?? null, origin: origin ?? null };
      });
      return { ...about, keys: now };
    } catch (error) {
      return { ...about, keys: keys.map((key) => ({ key })), problem: messageOf(error) };
    }
  }
}

function fits({ profiles }: ConfigUsage, { profile }: Change): boolean {
  return profile === undefined || profiles.includes(profile);
}

function readChange(body: Readonly<Record<string, unknown>>): Change {
  const { application, profile, keys } = body;
  if (typeof application !== 'string' || !isName(application)) {
    throw new ConfigBodyError('"application" must be a name; "application" itself is all of them.');
  }
  if (profile !== undefined && (typeof profile !== 'string' || !isName(profile))) {
    throw new ConfigBodyError('"profile" must be a name, or be left out.');
  }
  if (!isTexts(keys, MOST_KEYS) || keys.length === 0) {
    throw new ConfigBodyError(`"keys" must be a list of 1 to ${MOST_KEYS} keys that would change.`);
  }
  return { application, keys, ...(typeof profile === 'string' ? { profile } : {}) };
}

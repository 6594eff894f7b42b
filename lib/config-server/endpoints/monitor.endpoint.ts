import { Inject, Injectable, Logger } from '@nestjs/common';
import { messageOf } from '../../common/errors.js';
import { applicationsOf, changedPaths } from '../changed-paths.js';
import {
  type ConfigCall,
  ConfigEndpoint,
  type ConfigReply,
  jsonReply,
} from '../config-endpoint.js';
import { ConfigRepository } from '../config-repository.js';
import { ConfigTokenError } from '../config-server.errors.js';
import { CONFIG_SERVER_SETTINGS, type ConfigServerSettings } from '../config-server.options.js';
import { readBody, readObject } from '../request-body.js';
import { isSigned } from '../webhook-signature.js';

/** A push of many commits is large, in bytes. */
const MOST_BYTES = 2 * 1024 * 1024;

/**
 * `POST /monitor`: a webhook says that something was pushed, and the repository looks at once. Answers the applications
 * that may be concerned, `*` being all. It is signed with `webhookSecret`; without one, it needs the server's token.
 */
@Injectable()
export class MonitorEndpoint extends ConfigEndpoint {
  override readonly kinds = ['monitor'] as const;
  private readonly logger = new Logger('ConfigServer');
  /** Hooks that come while one is served share what comes after it. */
  private running: Promise<void> | undefined;
  private waiting: Promise<void> | undefined;

  constructor(
    @Inject(CONFIG_SERVER_SETTINGS) private readonly settings: ConfigServerSettings,
    private readonly repository: ConfigRepository,
  ) {
    super();
  }

  override async answer({ request, grant }: ConfigCall): Promise<ConfigReply> {
    grant.mustAdminister();
    const body = await readBody(request, MOST_BYTES);
    const { webhookSecret } = this.settings;
    const { headers } = request;
    if (webhookSecret !== undefined && !isSigned(headers, body, webhookSecret)) {
      throw new ConfigTokenError();
    }
    const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
    const payload = isForm
      ? { path: new URLSearchParams(body.toString('utf8')).getAll('path') }
      : readObject(body);
    const applications = applicationsOf(changedPaths(headers, payload));
    if (applications.length > 0) await this.refresh();
    return jsonReply(applications);
  }

  private refresh(): Promise<void> {
    if (!this.running) return (this.running = this.run());
    this.waiting ??= this.running.then(() => {
      this.waiting = undefined;
      return (this.running = this.run());
    });
    return this.waiting;
  }

  private async run(): Promise<void> {
    try {
      await this.repository.refresh(new AbortController().signal);
    } catch (error) {
      this.logger.warn(`The repository could not be refreshed: ${messageOf(error)}`);
    } finally {
      this.running = undefined;
    }
  }
}

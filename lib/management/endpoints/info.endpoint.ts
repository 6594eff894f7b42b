import { readFile } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { type ManagementAnswer, ManagementEndpoint } from '../../common/management-endpoint.js';
import { ServiceIdentity } from '../../common/service-identity.js';
import { dataFields } from '../../telemetry/log-fields.js';
import { MANAGEMENT_SETTINGS, type ManagementSettings } from '../management.options.js';

/** What runs here: the service, its build and its commit. The shape is that of Spring Boot's `/info`. */
@Injectable()
export class InfoEndpoint extends ManagementEndpoint {
  override readonly id = 'info';

  constructor(
    private readonly identity: ServiceIdentity,
    private readonly clock: Clock,
    @Inject(MANAGEMENT_SETTINGS) private readonly settings: ManagementSettings,
  ) {
    super();
  }

  override async answer(): Promise<ManagementAnswer> {
    const { name, version } = this.identity;
    const build = await builtFrom();
    const commit =
      process.env['GIT_COMMIT'] ?? process.env['SOURCE_COMMIT'] ?? (await headCommit());
    const branch = process.env['GIT_BRANCH'];
    return {
      body: {
        app: { name, version },
        ...(build && { build }),
        ...(commit && { git: { ...(branch && { branch }), commit: { id: commit } } }),
        process: {
          pid: process.pid,
          node: process.version,
          startedAt: new Date(this.clock.wallTime() - process.uptime() * 1_000).toISOString(),
        },
        // Whoever writes it may forget who reads it.
        ...(dataFields(this.settings.info) as object),
      },
    };
  }
}

/** The package that was started. */
async function builtFrom(): Promise<object | undefined> {
  try {
    const { name, version } = JSON.parse(await readFile('package.json', 'utf8')) as {
      readonly name?: string;
      readonly version?: string;
    };
    return { artifact: name, version };
  } catch {
    return undefined;
  }
}

/** The commit that is checked out, where the service runs from its repository. */
async function headCommit(): Promise<string | undefined> {
  try {
    const head = (await readFile('.git/HEAD', 'utf8')).trim();
    const ref = /^ref: (refs\/[\w./-]+)$/.exec(head)?.[1];
    const commit = ref ? (await readFile(`.git/${ref}`, 'utf8')).trim() : head;
    return /^[\da-f]{40}$/.test(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}

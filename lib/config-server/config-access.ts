import { createHash } from 'node:crypto';
import type { ConfigQuery } from './config-request.js';
import { ConfigAccessError, ConfigTokenError } from './config-server.errors.js';
import type { ConfigServerSettings } from './config-server.options.js';

/** The tokens that clients send, as `Bearer <token>` or as the password of `Basic`, and what each of them may do. */
export class ConfigAccess {
  /** By digest, so that looking one up tells nothing of the others. */
  private readonly grants = new Map<string, Grant>();
  private readonly open: Grant | undefined;

  constructor({ token, tokens }: Pick<ConfigServerSettings, 'token' | 'tokens'>) {
    const applications = Object.keys(tokens);
    if (token === undefined && applications.length === 0) this.open = new Grant();
    for (const application of applications) {
      const others = applications.filter((each) => each !== application);
      for (const each of tokens[application] ?? []) {
        this.grants.set(digest(each), new Grant({ application, others }));
      }
    }
    if (token !== undefined) this.grants.set(digest(token), new Grant());
  }

  /** Whether everyone may do everything. */
  get isOpen(): boolean {
    return this.open !== undefined;
  }

  /** What an `Authorization` header allows; throws `ConfigTokenError`. */
  grantOf(authorization: string | undefined): Grant {
    if (this.open) return this.open;
    const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization ?? '') ?? [];
    const token = scheme.toLowerCase() === 'basic' ? password(value) : value;
    const grant = this.grants.get(digest(token));
    if (!grant) throw new ConfigTokenError();
    return grant;
  }
}

/** Whose token it is; `others` are the applications that have tokens of their own. */
interface Restriction {
  readonly application: string;
  readonly others: readonly string[];
}

/** A file that holds the configuration of some application. */
const CONFIGURATION = /\.(?:ya?ml|properties|json)$/i;

/** What a token allows; all of it without a restriction. */
export class Grant {
  constructor(private readonly only?: Restriction) {}

  /** Whether a configuration may be read; throws `ConfigAccessError`. */
  mustRead({ application, profiles, label = '' }: ConfigQuery): void {
    const { only } = this;
    if (!only) return;
    // A label can be a directory, and that of another application.
    for (const step of label.split(/[,/]/)) this.mustNotName(step.trim(), only);
    for (const name of application.split(',')) {
      if (name !== only.application && name !== 'application') throw new ConfigAccessError();
      // "orders" in the profile "admin" reads orders-admin.yml, which belongs to the application "orders-admin".
      for (const profile of profiles) this.mustNotName(`${name}-${profile}`, only);
      for (const profile of profiles) this.mustNotName(profile, only);
    }
  }

  /** Whether a file may be read; throws `ConfigAccessError`. */
  mustReadFile(path: string): void {
    const { only } = this;
    if (!only) return;
    const segments = path.split('/');
    for (const segment of segments) this.mustNotName(segment.replace(/\.[^.]*$/, ''), only);
    const file = segments.at(-1) ?? '';
    if (!CONFIGURATION.test(file)) return;
    const stem = file.replace(CONFIGURATION, '');
    const own = ['application', only.application].some((name) => isOf(stem, name));
    if (!own) throw new ConfigAccessError();
  }

  /** Whether secrets may be made and read, and the uses of all applications seen; throws `ConfigAccessError`. */
  mustAdminister(): void {
    if (this.only) throw new ConfigAccessError();
  }

  private mustNotName(text: string, { application, others }: Restriction): void {
    const taken = others.some((other) => isOf(text, other) && !isOf(application, other));
    if (taken) throw new ConfigAccessError();
  }
}

/** Whether a name is an application's own, or one of its profiles. */
function isOf(text: string, application: string): boolean {
  return text === application || text.startsWith(`${application}-`);
}

function password(credentials: string): string {
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

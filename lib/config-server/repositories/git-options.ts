import { resolve } from 'node:path';
import type { Clock } from '../../common/clock.js';
import type { Duration } from '../../common/duration.js';
import {
  duration,
  group,
  optional,
  type OptionReader,
  refuse,
  type Settings,
  text,
  textOf,
} from '../../common/option-readers.js';
import { searchPaths } from './search-locations.js';

/** Where the git repository is, and how it is read. */
export interface GitRepositoryOptions {
  /** A path on this machine, `https://…`, `ssh://…`, or `git@host:path`. A user and a password in it are never shown. */
  readonly url: string;
  /** The user for http. @default the one in the url */
  readonly username?: string;
  /** The password, or an access token, for http. @default the one in the url */
  readonly password?: string;
  /** The branch, tag or commit for those who ask for none. @default 'main', or 'master' where there is no main */
  readonly defaultLabel?: string;
  /** Directories that are looked into beside the root, later ones stronger: `shared`, `{application}`. @default none */
  readonly searchPaths?: readonly string[];
  /** How often it is fetched; a webhook at `/monitor` makes it at once. @default '30s' */
  readonly refresh?: Duration;
  /** How long a fetch may take. @default '30s' */
  readonly timeout?: Duration;
  /**
   * The directory of the bare mirror. One that stays lets a server start while the remote is away.
   * @default a new one below the system's temporary directory, removed when the application ends
   */
  readonly mirror?: string;
  /** Time; a test gives its own. @default the machine's */
  readonly clock?: Clock;
}

/** The options, checked, with every default filled in. */
export type GitSettings = Settings<typeof FIELDS>;

const EXAMPLE = "Write it like 'https://host/config.git', 'git@host:config.git' or '/srv/config'.";

/** An address that git cannot take for an option or for a helper program; a wrong one is not repeated. */
const address: OptionReader<string> = (value, path) => {
  if (typeof value !== 'string' || value === '') refuse(path, 'is not a text', EXAMPLE);
  if (/^(?:https?|ssh|git|file):\/\/[^-\s]\S*$/.test(value)) return value;
  if (/^[\w.-]+@[A-Za-z0-9][\w.-]*:[^-\s]\S*$/.test(value)) return value;
  if (/^(?:\.{0,2}\/|[\w.]+(?:\/|$))/.test(value) && !value.includes(':')) return resolve(value);
  return refuse(path, 'is no address of a git repository', EXAMPLE);
};

const FIELDS = {
  url: address,
  username: optional(textOf()),
  password: optional(textOf()),
  defaultLabel: optional(
    text('main', { matches: /^[\w.][\w./-]*$/, remedy: "Name a branch, like 'main'." }),
  ),
  searchPaths,
  refresh: duration('30s', { min: 1_000 }),
  timeout: duration('30s', { min: 1_000 }),
  mirror: optional(textOf()),
};

/** Checks the options of a git repository. */
export function readGitOptions({ clock: _clock, ...options }: GitRepositoryOptions): GitSettings {
  return group(FIELDS)(options, 'gitRepository');
}

/** An address without user and password, and these; they go by a header, where no list of processes shows them. */
export function splitCredentials({ url, username, password }: GitSettings): {
  readonly address: string;
  readonly environment: Readonly<Record<string, string>>;
} {
  if (!/^https?:/.test(url)) return { address: url, environment: {} };
  const parsed = new URL(url);
  const user = username ?? decodeURIComponent(parsed.username);
  const secret = password ?? decodeURIComponent(parsed.password);
  parsed.username = parsed.password = '';
  if (user === '' && secret === '') return { address: url, environment: {} };
  const basic = Buffer.from(`${user}:${secret}`).toString('base64');
  return {
    address: parsed.href,
    environment: {
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'http.extraHeader',
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
      // The header must not follow to another host.
      GIT_CONFIG_KEY_1: 'http.followRedirects',
      GIT_CONFIG_VALUE_1: 'false',
    },
  };
}

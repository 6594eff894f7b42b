import type { Duration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  integer,
  list,
  made,
  number,
  optional,
  type OptionReader,
  record,
  refuse,
  type Settings,
  textOf,
} from '../common/option-readers.js';
import { type CipherOptions, readCipherOptions } from '../common/cipher/cipher-options.js';
import { ConfigSource, type ConfigSourceFactory } from './config-source.js';
import { urls } from './config-server-urls.js';
import type { SnapshotSettings } from './snapshot.js';
import type { SectionType } from './config-section.js';
import { type ConfigCheck, isStandardSchema, type StandardSchema } from './config-validation.js';
import { isPlain, type PropertyTree } from '../common/properties/property-tree.js';

/** What a user may set of the config client; nothing is required. */
export interface ConfigClientOptions {
  /**
   * The config server: `http://config-server:8888`, with `user:password@` if it asks for one. Several, separated by
   * commas, are tried in order. Without it the application lives from environment variables and defaults.
   * @default the variable CONFIG_URL
   */
  readonly url?: string;
  /** Another place to read from, instead of a config server. @default none */
  readonly source?: ConfigSource | ConfigSourceFactory;
  /**
   * Several places, the first above the second: `[configServer(), configFile('config.yml')]`. Environment variables lie
   * above all of them, `defaults` beneath. @default the config server alone
   */
  readonly sources?: readonly (ConfigSource | ConfigSourceFactory)[];
  /**
   * Finds the config server in the registry, by its service name, while no address is given. It needs
   * `DiscoveredConfigServerModule`, which `RookeryModule` brings by itself. @default false; true is 'config-server'
   */
  readonly discovery?: boolean | string;
  /** The application whose configuration is asked for. @default the service's name */
  readonly name?: string;
  /**
   * The active profiles; the last one wins.
   * @default the variable APP_PROFILE (comma-separated), else NODE_ENV, else 'default'
   */
  readonly profiles?: readonly string[];
  /** A branch, tag or directory of the config server; several, separated by commas, are tried in order. @default the server's own */
  readonly label?: string;
  /**
   * Whether the application refuses to start while the configuration cannot be had; then there must be somewhere to read
   * it from. Otherwise it starts with the last good snapshot or local values. @default false
   */
  readonly failFast?: boolean;
  /** How long the start waits for the first answer. @default '3s' */
  readonly startTimeout?: Duration;
  /** How changes are heard of. */
  readonly refresh?: {
    /** How often to ask a server that cannot say it by itself; also how long one that can holds a request. @default '30s' */
    readonly interval?: Duration;
    /** Whether a server that can hold a request until something changes is asked to. @default true */
    readonly push?: boolean;
  };
  /** The waits between attempts at a source that is away: random, up to a limit that doubles. */
  readonly retry?: {
    /** @default '100ms' */
    readonly first?: Duration;
    /** @default '1s' */
    readonly most?: Duration;
  };
  /** Headers sent with every request to the config server. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Local values beneath everything else: `{ db: { pool: { max: 10 } } }`. @default none */
  readonly defaults?: PropertyTree;
  /**
   * A schema (zod or any other Standard Schema), a class with class-validator's decorators, or a function for the merged
   * document. At the start it stops the application; later it refuses the change, and the last good values stay.
   * @default everything is good
   */
  readonly validate?: StandardSchema | ConfigCheck | SectionType;
  /** The keys of `{cipher}` values that the server hands out encrypted. @default none: they stay as they are */
  readonly decrypt?: CipherOptions;
  /**
   * A file that keeps the last good configuration, so that the service starts with it while the config server is away.
   * It is encrypted and readable by its owner alone. @default none
   */
  readonly snapshot?:
    | string
    | {
        readonly path: string;
        /** The secret that encrypts it. @default the variable CONFIG_SNAPSHOT_KEY */
        readonly key?: string;
      };
  /** Goes back to the last good configuration by itself when a new one harms the service. @default false */
  readonly rollback?: boolean | RollbackOptions;
  /** Who a feature flag's percentage and lists are asked for. */
  readonly features?: {
    /** Reads the subject from a request. @default request.user.id, else request.user.sub */
    readonly subject?: (request: never) => string | undefined;
  };
}

/** When a change of the configuration is taken back. */
export interface RollbackOptions {
  /** How long a new configuration is watched. @default '30s' */
  readonly window?: Duration;
  /** By how much the share of answers with a status of 500 or more may grow, from 0 to 1. @default 0.2 */
  readonly errorRate?: number;
  /** So many answers at least make a share. @default 20 */
  readonly requests?: number;
}

/** The options, checked, with every default filled in. */
export type ConfigClientSettings = Settings<typeof FIELDS>;

const profiles: OptionReader<readonly string[]> = (value, path) => {
  const given = value ?? process.env['APP_PROFILE'] ?? process.env['NODE_ENV'] ?? 'default';
  const listed: unknown = typeof given === 'string' ? given.split(',') : given;
  const names = list(textOf())(listed, path).map((name) => name.trim());
  for (const name of names) {
    if (/^[A-Za-z0-9](?:[\w.+@-]*[A-Za-z0-9])?$/.test(name)) continue;
    refuse(path, `has '${name}'`, 'A profile has letters, digits and inner hyphens or points.');
  }
  return names.length > 0 ? names : ['default'];
};

const isCheck = (value: unknown): value is StandardSchema | ConfigCheck | SectionType =>
  typeof value === 'function' || isStandardSchema(value);

const isSource = (value: unknown): value is ConfigSource | ConfigSourceFactory =>
  value instanceof ConfigSource || typeof value === 'function';

const isSubject = (value: unknown): value is (request: never) => string | undefined =>
  typeof value === 'function';

const source = made(isSource, 'a ConfigSource, or what configServer, configFile or consulKv made');

const configServerName: OptionReader<string | undefined> = (value, path) => {
  if (value === undefined || value === false) return undefined;
  return value === true ? 'config-server' : textOf()(value, path);
};

const SNAPSHOT = group({ path: textOf(), key: optional(textOf()) });

const snapshot: OptionReader<SnapshotSettings | undefined> = (value, path) => {
  if (value === undefined) return undefined;
  const given = SNAPSHOT(typeof value === 'string' ? { path: value } : value, path);
  const key = given.key ?? process.env['CONFIG_SNAPSHOT_KEY'];
  if (key === undefined || key.length < 16) {
    const problem = key === undefined ? 'has no key' : 'has a key of less than 16 characters';
    refuse(
      path,
      problem,
      `Set CONFIG_SNAPSHOT_KEY or ${path}.key to a random text, such as \`openssl rand -base64 32\` makes.`,
    );
  }
  return { path: given.path, key };
};

const ROLLBACK = group({
  window: duration('30s', { min: 1 }),
  errorRate: number(0.2, { min: 0, max: 1 }),
  requests: integer(20, { min: 1 }),
});

const rollback: OptionReader<ReturnType<typeof ROLLBACK> | undefined> = (value, path) =>
  value === undefined || value === false ? undefined : ROLLBACK(value === true ? {} : value, path);

const FIELDS = {
  url: urls,
  source: optional(source),
  sources: optional(list(source)),
  discovery: configServerName,
  name: optional(textOf()),
  profiles,
  label: optional(textOf()),
  failFast: flag(false),
  startTimeout: duration('3s'),
  refresh: group({ interval: duration('30s', { min: 1_000 }), push: flag(true) }),
  retry: group({ first: duration('100ms', { min: 1 }), most: duration('1s', { min: 1 }) }),
  headers: record(textOf()),
  defaults: optional(made(isPlain, 'a plain object')),
  validate: optional(made(isCheck, 'a Standard Schema, a class or a function')),
  decrypt: optional(readCipherOptions),
  snapshot,
  rollback,
  features: group({ subject: optional(made(isSubject, 'a function')) }),
};

/** Checks the options of the config client; `path` is where the user wrote them. */
export function readConfigClientOptions(value: unknown, path = 'config'): ConfigClientSettings {
  const settings = group(FIELDS)(value, path);
  if (settings.source && settings.sources) {
    refuse(`${path}.sources`, 'stands beside a source', 'Keep one of them.');
  }
  return settings;
}

import type { Duration } from '../common/duration.js';
import {
  duration,
  flag,
  group,
  list,
  made,
  optional,
  type OptionReader,
  record,
  refuse,
  type Settings,
  textOf,
} from '../common/option-readers.js';
import { ConfigSource } from './config-source.js';
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
  readonly source?: ConfigSource;
  /** The application whose configuration is asked for. @default the service's name */
  readonly name?: string;
  /**
   * The active profiles; the last one wins.
   * @default the variable APP_PROFILE (comma-separated), else NODE_ENV, else 'default'
   */
  readonly profiles?: readonly string[];
  /** A branch, tag or directory of the config server; several, separated by commas, are tried in order. @default the server's own */
  readonly label?: string;
  /** Whether the application refuses to start while the configuration cannot be had. @default false */
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
  /** Headers sent with every request to the config server. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Local values beneath everything else: `{ db: { pool: { max: 10 } } }`. @default none */
  readonly defaults?: PropertyTree;
  /**
   * A schema (zod or any other Standard Schema) or a function for the merged document. At the start it stops the
   * application; later it refuses the change, and the last good values stay. @default everything is good
   */
  readonly validate?: StandardSchema | ConfigCheck;
  /**
   * A file that keeps the last good configuration, readable by its owner alone, so that the service starts with it
   * while the config server is away. It holds the values in clear text. @default none
   */
  readonly snapshot?: string;
}

/** The options, checked, with every default filled in. */
export type ConfigClientSettings = Settings<typeof FIELDS>;

/** One or several http addresses; a wrong one is not repeated in full, because it may hold a password. */
const urls: OptionReader<readonly URL[]> = (value, path) => {
  const given = value === undefined ? process.env['CONFIG_URL'] : value;
  if (given === undefined || given === '') return [];
  const from = value === undefined ? 'CONFIG_URL' : path;
  if (typeof given !== 'string') refuse(from, 'is not a text', EXAMPLE);
  return given.split(',').map((each) => {
    const text = each.trim();
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !/^https?:$/.test(url.protocol)) refuse(from, 'is not an http address', EXAMPLE);
    return url;
  });
};

const EXAMPLE = "Write it like 'http://config-server:8888'.";

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

const isCheck = (value: unknown): value is StandardSchema | ConfigCheck =>
  typeof value === 'function' || isStandardSchema(value);

const FIELDS = {
  url: urls,
  source: optional(made((value) => value instanceof ConfigSource, 'a ConfigSource')),
  name: optional(textOf()),
  profiles,
  label: optional(textOf()),
  failFast: flag(false),
  startTimeout: duration('3s'),
  refresh: group({ interval: duration('30s', { min: 1_000 }), push: flag(true) }),
  headers: record(textOf()),
  defaults: optional(made(isPlain, 'a plain object')),
  validate: optional(made(isCheck, 'a Standard Schema or a function')),
  snapshot: optional(textOf()),
};

/** Checks the options of the config client; `path` is where the user wrote them. */
export const readConfigClientOptions: (value: unknown, path?: string) => ConfigClientSettings = (
  value,
  path = 'config',
) => group(FIELDS)(value, path);

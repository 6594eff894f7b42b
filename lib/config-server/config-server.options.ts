import { type CipherOptions, readCipherOptions } from '../common/cipher/cipher-options.js';
import {
  flag,
  group,
  list,
  made,
  oneOf,
  optional,
  type OptionReader,
  record,
  refuse,
  type Settings,
  text,
} from '../common/option-readers.js';
import { isPlain, type PropertyTree } from '../common/properties/property-tree.js';
import { ConfigRepository } from './config-repository.js';
import { isName as isApplicationName } from './config-request.js';

/** What a user may set of the config server. */
export interface ConfigServerOptions {
  /** Where the configuration is kept: `fileRepository({ path: 'config' })`, or a repository of your own. */
  readonly repository: ConfigRepository;
  /** The path that the configuration stands under, such as `/config`. @default '' (at the root, as with Spring) */
  readonly prefix?: string;
  /**
   * What clients must send, as a bearer token or as the password in their CONFIG_URL. Without it everyone who reaches
   * the port reads everything, and a server that listens beyond this machine says so at the start.
   * @default none
   */
  readonly token?: string;
  /**
   * Tokens of single applications, each with one or, while it is replaced, several: `{ orders: 'a-long-token' }`. A token
   * reads its application's configuration and files and nothing else; `token` still does everything.
   * @default none
   */
  readonly tokens?: Readonly<Record<string, string | readonly string[]>>;
  /** Values that win over every repository, for every application: `{ audit: { enabled: true } }`. @default none */
  readonly overrides?: PropertyTree;
  /** Whether an application that has no configuration is answered with none, instead of 404. @default true */
  readonly acceptEmpty?: boolean;
  /** The keys of `{cipher}` values, and of `/encrypt` and `/decrypt`. @default none */
  readonly encrypt?: CipherOptions;
  /** Who decrypts: this server, or the clients, who then need the key. @default 'server' */
  readonly decryption?: 'server' | 'client';
  /** Whether a value that cannot be decrypted becomes `invalid.<key>: <n/a>`, instead of staying as it is. @default true */
  readonly prefixInvalid?: boolean;
  /** The secret that webhooks at `/monitor` are signed with. @default none: only `token` may call it */
  readonly webhookSecret?: string;
}

/** The token of the checked options. */
export const CONFIG_SERVER_SETTINGS = Symbol('ConfigServerSettings');

/** The options, checked, with every default filled in. */
export type ConfigServerSettings = Settings<typeof FIELDS>;

/** A secret; a wrong one is not repeated. */
const token: OptionReader<string> = (value, path) => {
  if (typeof value === 'string' && /^\S{8,}$/.test(value)) return value;
  return refuse(path, 'cannot be used', 'Make it at least 8 characters, without blanks.');
};

const applicationTokens: OptionReader<Readonly<Record<string, readonly string[]>>> = (
  value,
  path,
) => {
  const given = record((each, at) => list(token)(typeof each === 'string' ? [each] : each, at))(
    value,
    path,
  );
  for (const application of Object.keys(given)) {
    if (isApplicationName(application)) continue;
    refuse(path, `has '${application}'`, 'Name an application, with letters, digits, "-" and "_".');
  }
  return given;
};

const FIELDS = {
  repository: made(
    (value) => value instanceof ConfigRepository,
    "a ConfigRepository, such as fileRepository({ path: 'config' })",
  ),
  prefix: text('', {
    matches: /^(?:\/[\w.-]+)+$/,
    remedy: "Write it like '/config', without a slash at its end.",
  }),
  token: optional(token),
  tokens: applicationTokens,
  overrides: optional(made(isPlain, 'a plain object')),
  acceptEmpty: flag(true),
  encrypt: optional(readCipherOptions),
  decryption: oneOf(['server', 'client'], 'server'),
  prefixInvalid: flag(true),
  webhookSecret: optional(token),
};

/** Checks the options of the config server. */
export const readConfigServerOptions = (value: unknown): ConfigServerSettings =>
  group(FIELDS)(value, 'configServer');

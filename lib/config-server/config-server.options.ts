import {
  group,
  made,
  optional,
  type OptionReader,
  refuse,
  type Settings,
  text,
} from '../common/option-readers.js';
import { ConfigRepository } from './config-repository.js';

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
}

/** The options, checked, with every default filled in. */
export type ConfigServerSettings = Settings<typeof FIELDS>;

/** A secret; a wrong one is not repeated. */
const token: OptionReader<string> = (value, path) => {
  if (typeof value === 'string' && /^\S{8,}$/.test(value)) return value;
  return refuse(path, 'cannot be used', 'Make it at least 8 characters, without blanks.');
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
};

/** Checks the options of the config server. */
export const readConfigServerOptions = (value: unknown): ConfigServerSettings =>
  group(FIELDS)(value, 'configServer');

import {
  flag,
  group,
  integer,
  list,
  oneOf,
  type OptionReader,
  type Settings,
  textOf,
} from '../common/option-readers.js';

/** What is done with an answer that its contract's schema refuses. */
export type AnswerCheck = 'off' | 'warn' | 'error';

/** How much the client keeps of answers that may be kept. */
export interface ClientCacheOptions {
  /** The most bytes of bodies that are kept; what was used longest ago goes first. @default 16777216 (16 MiB) */
  readonly bytes?: number;
}

/** What a user may set of calls to other services; how a service is called is set at `UpstreamModule`. */
export interface ClientModuleOptions {
  /**
   * The headers of the request being handled that go on with the calls it makes, such as `x-tenant` or `authorization`.
   * Trace, correlation id and deadline always go. Name only what every service you call may know.
   * @default none
   */
  readonly propagate?: readonly string[];
  /** Whether identical reads that are under way at the same time are one call. @default true */
  readonly coalesce?: boolean;
  /** Keeps answers as their `Cache-Control` allows (RFC 9111); `true` with the defaults. @default false */
  readonly cache?: boolean | ClientCacheOptions;
  /**
   * Answers that a contract has a schema for: `error` throws `InvalidAnswerError` when it refuses one, `warn` logs it,
   * once for each route, and `off` does not look.
   * @default 'warn'
   */
  readonly validate?: AnswerCheck;
}

const FIELD_NAME = {
  matches: /^[\w!#$%&'*+\-.^`|~]+$/,
  remedy: 'Write the name of a header.',
};

const cacheSettings = group({ bytes: integer(16 * 1024 * 1024, { min: 1_024 }) });

const cache: OptionReader<ReturnType<typeof cacheSettings> | false> = (value, path) => {
  if (value === undefined || value === false) return false;
  return cacheSettings(value === true ? {} : value, path);
};

const FIELDS = {
  propagate: list(textOf(FIELD_NAME)),
  coalesce: flag(true),
  cache,
  validate: oneOf(['off', 'warn', 'error'], 'warn'),
};

const readFields = group(FIELDS);

/** The checked options. */
export type ClientSettings = Settings<typeof FIELDS>;

/** Under this token the room's providers find their settings. */
export const CLIENT_SETTINGS = Symbol('CLIENT_SETTINGS');

/** Checks what a user wrote; throws `InvalidOptionsError` with path and remedy. */
export function readClientOptions(options: ClientModuleOptions | undefined): ClientSettings {
  const settings = readFields(options, 'client');
  return { ...settings, propagate: settings.propagate.map((name) => name.toLowerCase()) };
}

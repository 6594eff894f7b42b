import type { Duration } from '../common/duration.js';
import {
  duration,
  group,
  integer,
  list,
  optional,
  record,
  textOf,
} from '../common/option-readers.js';

/** What can be set for calls to one service. */
export interface MessagingServiceOptions {
  /** How long an answer may take. @default the timeout of all services */
  readonly timeout?: Duration;
  /**
   * The patterns of messages that do no harm when they are handled twice, as Nest writes them: `'stock.get'`, or
   * `'{"cmd":"get"}'` for an object. They are sent again when a connection breaks before the answer; all others are
   * repeated only if they were not sent.
   * @default none
   */
  readonly idempotent?: readonly string[];
}

/** How this service listens for messages. */
export interface MessagingServerOptions {
  /** The address to listen at. @default HOST, as for HTTP; without it all of this machine's */
  readonly host?: string;
  /** The port to listen at; 0 lets the system choose, and discovery tells everybody. @default 0 */
  readonly port?: number;
  /** The longest message that is accepted, in characters. @default 4194304 */
  readonly maxMessage?: number;
}

/** What a user may set of messaging. */
export interface MessagingOptions {
  /** How long an answer may take. @default '5s' */
  readonly timeout?: Duration;
  /** How long a connection may take. @default '1s' */
  readonly connectTimeout?: Duration;
  /** What differs for single services, by their names. */
  readonly services?: Readonly<Record<string, MessagingServiceOptions>>;
  readonly server?: MessagingServerOptions;
}

const readFields = group({
  timeout: duration('5s', { min: 1 }),
  connectTimeout: duration('1s', { min: 1 }),
  services: record(
    group({ timeout: optional(duration(0, { min: 1 })), idempotent: list(textOf()) }),
  ),
  server: group({
    host: optional(textOf()),
    port: integer(0, { min: 0, max: 65_535 }),
    maxMessage: integer(4_194_304, { min: 1_024 }),
  }),
});

/** The checked options, with their defaults; times in ms. */
export type MessagingSettings = ReturnType<typeof readFields>;

/** Under this token the room's providers find their settings. */
export const MESSAGING_SETTINGS = Symbol('MESSAGING_SETTINGS');

/** Checks what a user wrote; throws `InvalidOptionsError` with path and remedy. */
export function readMessagingOptions(
  options: MessagingOptions | undefined,
  env: NodeJS.ProcessEnv = process.env,
): MessagingSettings {
  const fields = readFields(options, 'messaging');
  const { server } = fields;
  return { ...fields, server: { ...server, host: server.host ?? (env['HOST'] || undefined) } };
}

import {
  flag,
  group,
  integer,
  optional,
  refuse,
  textOf,
  type OptionReader,
} from '../common/option-readers.js';

/** What a user may set of the management endpoints. */
export interface ManagementOptions {
  /** The path they stand below; `'/actuator'` is where Spring Boot Admin looks. @default '/management' */
  readonly path?: string;
  /** A port of their own, so that they are not on the service's. @default the service's own port */
  readonly port?: number;
  /** The address that port listens on. @default '127.0.0.1' */
  readonly host?: string;
  /**
   * Opens them to whoever brings it as `Authorization: Bearer …`, from anywhere; and then only its bearers may change
   * anything. At least 16 characters. @default MANAGEMENT_TOKEN
   */
  readonly token?: string;
  /** Whether callers on this machine need no token to look. @default true */
  readonly local?: boolean;
  /** What `/info` says besides. Plain JSON; what is named or looks like a secret is hidden. @default nothing */
  readonly info?: Readonly<Record<string, unknown>>;
}

const readPath: OptionReader<string> = (value, path) => {
  const text = value === undefined ? '/management' : textOf()(value, path);
  if (!/^(?:\/[\w-]+)+$/.test(text)) refuse(path, `is '${text}'`, "Write it like '/management'.");
  return text;
};

const readInfo: OptionReader<Readonly<Record<string, unknown>>> = (value, path) => {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(path, 'is not an object', 'Write it in curly brackets.');
  return value as Readonly<Record<string, unknown>>;
};

const LONG_ENOUGH = {
  matches: /^\S{16,}$/,
  remedy: 'Take at least 16 characters without spaces, such as those of `openssl rand -hex 24`.',
};

/** A token must not be shown by the sentence that refuses it. */
const readToken: OptionReader<string> = (value, path) => {
  if (typeof value === 'string' && LONG_ENOUGH.matches.test(value)) return value;
  return refuse(path, 'is too short to be a secret', LONG_ENOUGH.remedy);
};

/** Checks what a user wrote; throws `InvalidOptionsError` with path and remedy. */
export const readManagementOptions = group({
  path: readPath,
  port: optional(integer(0, { min: 0, max: 65_535 })),
  host: optional(textOf()),
  token: optional(readToken),
  local: flag(true),
  info: readInfo,
});

/** The checked options. */
export type ManagementSettings = ReturnType<typeof readManagementOptions>;

/** Where the checked options are injected. */
export const MANAGEMENT_SETTINGS = Symbol('MANAGEMENT_SETTINGS');

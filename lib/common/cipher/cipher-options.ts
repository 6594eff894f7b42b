import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import {
  flag,
  group,
  oneOf,
  type OptionReader,
  optional,
  record,
  refuse,
  type Settings,
  text,
  textOf,
} from '../option-readers.js';

/**
 * The keys of `{cipher}` values, as Spring Cloud Config has them under `encrypt`.
 *
 * @example
 * { key: process.env.ENCRYPT_KEY }
 *
 * @example
 * // Rotation: new values get the key of 2026, those that name {key:2025} stay readable.
 * { defaultKey: '2026', keys: { '2025': process.env.KEY_2025, '2026': process.env.KEY_2026 } }
 */
export interface CipherOptions {
  /** The key of values that name none: a password for AES, or an RSA key in PEM. @default none */
  readonly key?: string;
  /** Further keys by alias, for values that begin with `{cipher}{key:alias}`. @default none */
  readonly keys?: Readonly<Record<string, string>>;
  /** The alias of the key that new values are given, when there is no `key`. @default none */
  readonly defaultKey?: string;
  /** Salt of AES keys, in hexadecimal digits. @default 'deadbeef', as Spring's `encrypt.salt` */
  readonly salt?: string;
  /** How RSA is used, as Spring's `encrypt.rsa`. */
  readonly rsa?: {
    /** The padding: PKCS #1 v1.5 (`default`), or OAEP. @default 'default' */
    readonly algorithm?: 'default' | 'oaep';
    /** AES-GCM inside instead of AES-CBC. @default false */
    readonly strong?: boolean;
    /** Salt of the inner AES key, in hexadecimal digits. @default 'deadbeef' */
    readonly salt?: string;
  };
}

/** A password, or an RSA key. */
export type CipherKey = string | KeyObject;

/** The options, checked, with every default filled in. */
export type CipherSettings = Settings<typeof FIELDS>;

/** A key; a wrong one is not repeated. */
const key: OptionReader<CipherKey> = (value, path) => {
  if (typeof value !== 'string' || value === '') {
    refuse(path, 'is not a text', 'Give it a password, or an RSA key in PEM.');
  }
  if (!/-----BEGIN /.test(value)) return value;
  // Environment variables often hold a PEM on one line, with "\n" written out.
  const pem = value.replaceAll(String.raw`\n`, '\n');
  const read = /PUBLIC KEY/.test(pem) ? createPublicKey : createPrivateKey;
  try {
    const found = read(pem);
    if (found.asymmetricKeyType === 'rsa') return found;
  } catch {
    // The cause could quote the key.
  }
  return refuse(
    path,
    'is no RSA key that can be read',
    'Give it PEM without a passphrase; `openssl pkcs12 -nodes -nocerts` takes one out of a Java key store.',
  );
};

const salt = text('deadbeef', {
  matches: /^(?:[0-9a-f]{2})+$/i,
  remedy: "Write pairs of hexadecimal digits, like 'deadbeef'.",
});

const FIELDS = {
  key: optional(key),
  keys: record(key),
  defaultKey: optional(textOf()),
  salt,
  rsa: group({ algorithm: oneOf(['default', 'oaep'], 'default'), strong: flag(false), salt }),
};

/** Checks the options of the cipher; `path` is where the user wrote them. */
export const readCipherOptions: OptionReader<CipherSettings> = (value, path) => {
  const settings = group(FIELDS)(value, path);
  const { key: only, keys, defaultKey } = settings;
  const aliases = Object.keys(keys);
  if (only === undefined && aliases.length === 0) {
    refuse(path, 'has no key', `Set ${path}.key, or leave ${path} out.`);
  }
  for (const alias of aliases) {
    if (!/^[\w.-]+$/.test(alias)) {
      refuse(
        `${path}.keys`,
        `has '${alias}'`,
        'An alias has letters, digits, "-", "_" and points.',
      );
    }
  }
  if (defaultKey !== undefined && !Object.hasOwn(keys, defaultKey)) {
    refuse(`${path}.defaultKey`, `is '${defaultKey}'`, `Known keys: ${aliases.join(', ')}.`);
  }
  if (defaultKey !== undefined && only !== undefined) {
    refuse(
      `${path}.defaultKey`,
      'stands beside a key',
      `Keep one of them; ${path}.key is the default.`,
    );
  }
  return settings;
};

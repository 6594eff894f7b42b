import { createHash } from 'node:crypto';
import { Clock, SystemClock } from '../../common/clock.js';
import {
  group,
  list,
  type OptionReader,
  optional,
  refuse,
  text,
  textOf,
} from '../../common/option-readers.js';
import { Authenticator } from '../authenticator.js';
import type { Credentials } from '../credentials.js';
import type { Principal } from '../principal.js';
import { InvalidCredentialsError } from '../security.errors.js';

/** A key that is let in; of the key itself only its hash is known. */
export interface ApiKey {
  /** What logs and limits know it by. */
  readonly id: string;
  /** `sha256:` and 64 hexadecimal digits, as `hashApiKey(key)` makes it. */
  readonly hash: string;
  /** @default none */
  readonly scopes?: readonly string[];
  /** @default none */
  readonly roles?: readonly string[];
  /** @default none */
  readonly tenant?: string;
  /** When it ends, in ISO 8601: `2027-01-01T00:00:00Z`. @default never */
  readonly expires?: string;
}

/** Which keys are let in, and where requests carry them. */
export interface ApiKeysOptions {
  /** The keys; a function is asked again whenever the list it gave is not the one it gives now. */
  readonly keys: readonly ApiKey[] | (() => readonly ApiKey[]);
  /** The header that carries a key. @default 'x-api-key' */
  readonly header?: string;
}

/** Shorter keys could be guessed. */
const SHORTEST = 20;
const LONGEST = 512;

/** What was written may be the key itself, so it is not quoted. */
const keyHash: OptionReader<string> = (value, path) =>
  typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value)
    ? value
    : refuse(path, 'is no hash', 'Write what hashApiKey(key) gives, never the key itself.');

const readKey: OptionReader<Principal & { readonly hash: string }> = (value, path) => {
  const { id, hash, scopes, roles, tenant, expires } = group({
    id: textOf(),
    hash: keyHash,
    scopes: list(textOf()),
    roles: list(textOf()),
    tenant: optional(textOf()),
    expires: optional(textOf()),
  })(value, path);
  const expiresAt = expires === undefined ? undefined : Date.parse(expires);
  if (Number.isNaN(expiresAt))
    refuse(`${path}.expires`, `is '${expires}'`, "Write it like '2027-01-01T00:00:00Z'.");
  return {
    hash,
    subject: id,
    issuer: 'api-key',
    scopes,
    roles,
    claims: {},
    ...(tenant !== undefined && { tenant }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
};

/**
 * The hash of an API key, for configuration. A plain SHA-256 is enough, because keys are long and random: nobody can try
 * them out, as they could passwords.
 *
 * @throws InvalidOptionsError when the key is shorter than 20 characters
 */
export function hashApiKey(key: string): string {
  if (key.length < SHORTEST)
    refuse(
      'The API key',
      `has ${key.length} characters`,
      `Make it of ${SHORTEST} random ones at least.`,
    );
  return `sha256:${digest(key)}`;
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Lets in who shows one of some keys, which are known by their hashes only, so that whoever reads the configuration
 * has none.
 *
 * @example
 * apiKeys({ keys: [{ id: 'partner', hash: hashApiKey('a-long-random-key-of-the-partner'), scopes: ['orders:read'] }] })
 */
export function apiKeys(options: ApiKeysOptions): Authenticator {
  return new ApiKeyAuthenticator(options);
}

class ApiKeyAuthenticator extends Authenticator {
  override readonly name = 'api-key';
  override readonly headers: readonly string[];
  private readonly header: string;
  private readonly list: () => readonly ApiKey[];
  private source: readonly ApiKey[] | undefined;
  private byHash: ReadonlyMap<string, Principal> = new Map();

  constructor(
    { keys, ...options }: ApiKeysOptions,
    private readonly clock: Clock = new SystemClock(),
  ) {
    super();
    const named = { matches: /^[\w-]+$/, remedy: "Write it like 'x-api-key'." };
    this.header = group({ header: text('x-api-key', named) })(
      options,
      'apiKeys',
    ).header.toLowerCase();
    this.headers = [this.header];
    this.list = typeof keys === 'function' ? keys : () => keys;
    this.refresh();
  }

  override authenticate(credentials: Credentials): Principal | undefined {
    const key = credentials.header(this.header);
    if (key === undefined) return undefined;
    this.refresh();
    // A look-up by hash takes no longer for a key that is almost right.
    const principal = key.length > LONGEST ? undefined : this.byHash.get(digest(key));
    if (principal === undefined) throw new InvalidCredentialsError('The API key is not known.');
    if ((principal.expiresAt ?? Infinity) <= this.clock.wallTime())
      throw new InvalidCredentialsError(`The API key '${principal.subject}' has ended.`);
    return principal;
  }

  private refresh(): void {
    const now = this.list();
    if (now === this.source) return;
    const read = list(readKey)(now, 'apiKeys.keys');
    this.byHash = new Map(read.map(({ hash, ...principal }) => [hash.slice(7), principal]));
    this.source = now;
  }
}

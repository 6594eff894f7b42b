import { AesCipher } from './aes-cipher.js';
import type { CipherKey, CipherSettings } from './cipher-options.js';
import { CipherError } from './cipher.errors.js';
import { RsaCipher } from './rsa-cipher.js';

/** How a value in a configuration begins that is a secret. */
const MARK = '{cipher}';
/** What follows it is text as it is, whatever it looks like. */
const PLAIN = '{plain}';
/** `{key:alias}{secret:…}`, before a ciphertext or a text. */
const PREFIX = /^\s*\{([^{}:]+):([^{}]*)\}/;

/** So many secrets are remembered; a snapshot repeats nearly all of the last, and RSA takes 2 ms for each. */
const MOST_KNOWN = 2_000;

/**
 * The secrets of a configuration, as Spring Cloud Config writes them: `{cipher}{key:alias}` and what AES (in hexadecimal
 * digits) or RSA (in Base64) made of the text.
 *
 * @see https://docs.spring.io/spring-cloud-config/reference/server/encryption-and-decryption.html
 */
export class ConfigCipher {
  private readonly ciphers = new Map<string | undefined, AesCipher | RsaCipher>();
  private readonly fallback: string | undefined;
  private readonly known = new Map<string, string>();

  constructor(settings: CipherSettings) {
    const { key, keys, defaultKey } = settings;
    this.fallback = defaultKey;
    if (key !== undefined) this.ciphers.set(undefined, cipherOf(key, settings));
    for (const [alias, each] of Object.entries(keys)) {
      this.ciphers.set(alias, cipherOf(each, settings));
    }
  }

  /** Whether a value of a configuration is a secret. */
  static isSecret(value: unknown): value is string {
    return typeof value === 'string' && value.startsWith(MARK);
  }

  /**
   * The text of a secret, which is given with or without `{cipher}`.
   *
   * @throws CipherError when it was encrypted with another key, or with one that is not here
   */
  decrypt(secret: string): string {
    const known = this.known.get(secret);
    if (known !== undefined) return known;
    const { aliases, rest } = split(secret.startsWith(MARK) ? secret.slice(MARK.length) : secret);
    const cipher = this.cipher(aliases);
    if (cipher instanceof RsaCipher && !cipher.canDecrypt) {
      throw new CipherError('Only the public key is here, which cannot decrypt.');
    }
    const text = decrypted(cipher, rest.trim());
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(secret, text);
    return text;
  }

  /**
   * A text as a secret, without `{cipher}`. It may begin with `{key:alias}`, which then begins the secret too;
   * `{plain}` ends such prefixes. A default key that has an alias is named, so that it can be replaced later.
   *
   * @throws CipherError when there is no such key
   */
  encrypt(text: string): string {
    const { aliases, rest, prefix } = split(text);
    const cipher = this.cipher(aliases);
    const bytes = cipher.encrypt(Buffer.from(rest, 'utf8'));
    const named = aliases.key ?? this.fallback;
    const missing = aliases.key === undefined && named !== undefined ? `{key:${named}}` : '';
    return `${prefix}${missing}${bytes.toString(cipher instanceof RsaCipher ? 'base64' : 'hex')}`;
  }

  /** The public key of an alias, or of the default, as OpenSSH writes it; `undefined` when it is no RSA key. */
  publicKey(alias?: string): string | undefined {
    const cipher = this.cipher(alias === undefined ? {} : { key: alias });
    return cipher instanceof RsaCipher ? cipher.publicText() : undefined;
  }

  /** Whether what is encrypted without an alias can be decrypted here. */
  get canDecrypt(): boolean {
    const cipher = this.ciphers.get(this.fallback);
    return cipher instanceof AesCipher || (cipher?.canDecrypt ?? false);
  }

  private cipher({ key = this.fallback }: { readonly key?: string }): AesCipher | RsaCipher {
    const cipher = this.ciphers.get(key);
    if (cipher) return cipher;
    throw new CipherError(
      key === undefined
        ? 'There is no key for values that name none. Set "key" or "defaultKey".'
        : `There is no key "${key}". Add it to "keys".`,
    );
  }
}

function cipherOf(key: CipherKey, { salt, rsa }: CipherSettings): AesCipher | RsaCipher {
  return typeof key === 'string' ? new AesCipher(key, salt, false) : new RsaCipher(key, rsa);
}

/** The prefixes of a text, and what stands behind them. */
function split(text: string) {
  const aliases: { key?: string } = {};
  let prefix = '';
  let rest = text;
  for (let match = PREFIX.exec(rest); match; match = PREFIX.exec(rest)) {
    const [whole, name, value = ''] = match;
    if (name === 'key') aliases.key = value;
    prefix += whole.trim();
    rest = rest.slice(whole.length);
  }
  return { aliases, prefix, rest: rest.startsWith(PLAIN) ? rest.slice(PLAIN.length) : rest };
}

/** Broken encodings, wrong keys and wrong paddings all end in the same sentence. */
function decrypted(cipher: AesCipher | RsaCipher, text: string): string {
  const isRsa = cipher instanceof RsaCipher;
  const form = isRsa ? /^[A-Za-z0-9+/]+={0,2}$/ : /^(?:[0-9a-fA-F]{2})+$/;
  try {
    if (!form.test(text)) throw new Error('not encoded so');
    const bytes = cipher.decrypt(Buffer.from(text, isRsa ? 'base64' : 'hex'));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CipherError('The text was not encrypted with this key.');
  }
}

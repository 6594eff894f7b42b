import {
  constants,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import { AesCipher } from './aes-cipher.js';

/** How Spring's `encrypt.rsa` is set. */
export interface RsaTerms {
  readonly algorithm: 'default' | 'oaep';
  readonly strong: boolean;
  /** In hexadecimal digits. */
  readonly salt: string;
}

/** The AES password is so many random bytes, in hexadecimal digits. */
const SECRET = 16;

/**
 * RSA around AES, as Spring Security's `RsaSecretEncryptor`: the length of the wrapped secret in two bytes, the wrapped
 * secret, and what AES made of the text.
 */
export class RsaCipher {
  private readonly publicKey: KeyObject;
  private readonly privateKey: KeyObject | undefined;

  constructor(
    key: KeyObject,
    private readonly terms: RsaTerms,
  ) {
    this.privateKey = key.type === 'private' ? key : undefined;
    this.publicKey = key.type === 'private' ? createPublicKey(key) : key;
  }

  /** Whether the private key is here. */
  get canDecrypt(): boolean {
    return this.privateKey !== undefined;
  }

  encrypt(bytes: Buffer): Buffer {
    const secret = randomBytes(SECRET);
    const padding =
      this.terms.algorithm === 'oaep'
        ? constants.RSA_PKCS1_OAEP_PADDING
        : constants.RSA_PKCS1_PADDING;
    const wrapped = publicEncrypt({ key: this.publicKey, padding }, secret);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(wrapped.length);
    return Buffer.concat([length, wrapped, this.aes(secret).encrypt(bytes)]);
  }

  /** Throws whatever Node throws at bytes that were not encrypted so. */
  decrypt(bytes: Buffer): Buffer {
    const end = 2 + bytes.readUInt16BE(0);
    const secret = this.unwrap(bytes.subarray(2, end));
    return this.aes(secret).decrypt(bytes.subarray(end));
  }

  /** The public key as OpenSSH writes it, which is how Spring's `/key` gives it out. */
  publicText(): string {
    const { e = '', n = '' } = this.publicKey.export({ format: 'jwk' });
    const parts = [Buffer.from('ssh-rsa'), integer(e), integer(n)].map((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return Buffer.concat([length, part]);
    });
    return `ssh-rsa ${Buffer.concat(parts).toString('base64')} application`;
  }

  private unwrap(wrapped: Buffer): Buffer {
    const key = this.privateKey;
    if (!key) throw new Error('there is no private key');
    if (this.terms.algorithm === 'oaep') {
      // Java's OAEPPadding is SHA-1 twice, which is Node's default too.
      return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, wrapped);
    }
    // Node 20 refuses to take this padding off (CVE-2023-46809); what is within has a known length, so it is read here.
    return unpadded(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, wrapped));
  }

  private aes(secret: Buffer): AesCipher {
    return new AesCipher(secret.toString('hex'), this.terms.salt, this.terms.strong);
  }
}

/**
 * Takes PKCS #1 v1.5 padding (RFC 8017, 7.2.2) off a message of known length: 0, 2, no zeros, 0, message.
 *
 * Every byte is looked at whatever it is, and a wrong padding gives random bytes, which fail later like a wrong key: nobody
 * learns from an answer, or from its time, which of the two it was (Bleichenbacher's attack).
 */
function unpadded(message: Buffer): Buffer {
  const end = message.length - SECRET;
  let wrong = (message[0] ?? 1) | ((message[1] ?? 0) ^ 2) | (message[end - 1] ?? 1);
  for (let at = 2; at < end - 1; at++) wrong |= (((message[at] ?? 0) - 1) >>> 8) & 1;
  const instead = randomBytes(SECRET);
  const keep = ((wrong - 1) >> 8) & 0xff;
  for (let at = 0; at < SECRET; at++) {
    instead[at] = ((message[end + at] ?? 0) & keep) | ((instead[at] ?? 0) & ~keep);
  }
  return instead;
}

/** A positive integer of SSH (RFC 4251, 5): a zero goes before a highest bit that is set. */
function integer(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url');
  return (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
}

import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';

/** AES-256 with a key made of a password, as Spring Security's `Encryptors` have it. */
export class AesCipher {
  private readonly key: Buffer;

  /**
   * @param salt in hexadecimal digits, as Spring's `encrypt.salt`
   * @param strong GCM, which notices every change; CBC otherwise
   */
  constructor(
    password: string,
    salt: string,
    private readonly strong: boolean,
  ) {
    // PBKDF2WithHmacSHA1, 1024 rounds, 256 bits: what Spring's keys are made with, weak as it is.
    this.key = pbkdf2Sync(password, Buffer.from(salt, 'hex'), 1024, 32, 'sha1');
  }

  /** The initial vector of 16 bytes, and what was encrypted. */
  encrypt(bytes: Buffer): Buffer {
    const vector = randomBytes(16);
    if (!this.strong) {
      const cipher = createCipheriv('aes-256-cbc', this.key, vector);
      return Buffer.concat([vector, cipher.update(bytes), cipher.final()]);
    }
    const cipher = createCipheriv('aes-256-gcm', this.key, vector);
    return Buffer.concat([vector, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws whatever Node throws at bytes that were not encrypted so. */
  decrypt(bytes: Buffer): Buffer {
    const vector = bytes.subarray(0, 16);
    if (!this.strong) {
      const cipher = createDecipheriv('aes-256-cbc', this.key, vector);
      return Buffer.concat([cipher.update(bytes.subarray(16)), cipher.final()]);
    }
    const cipher = createDecipheriv('aes-256-gcm', this.key, vector, { authTagLength: 16 });
    cipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([cipher.update(bytes.subarray(16, -16)), cipher.final()]);
  }
}

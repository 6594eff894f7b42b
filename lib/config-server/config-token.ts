import { createHash, timingSafeEqual } from 'node:crypto';

/** The token that clients must send, as `Bearer <token>` or as the password of `Basic`. */
export class ConfigToken {
  private readonly expected: Buffer;

  constructor(token: string) {
    this.expected = digest(token);
  }

  /** Whether an `Authorization` header carries it; takes the same time for every wrong one. */
  isIn(authorization: string | undefined): boolean {
    const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+)$/i.exec(authorization ?? '') ?? [];
    return timingSafeEqual(
      digest(scheme.toLowerCase() === 'basic' ? password(value) : value),
      this.expected,
    );
  }
}

function password(credentials: string): string {
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}

/** Equal lengths, so that the comparison tells nothing of the token's. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Headers that carry the HMAC-SHA256 of a body: GitHub's, Bitbucket's, Gitea's, and Gogs's. */
const SIGNED = ['x-hub-signature-256', 'x-hub-signature', 'x-gitea-signature', 'x-gogs-signature'];

/**
 * Whether a webhook was sent by somebody who knows the secret: by its signature, or, as GitLab does it, by the secret
 * itself. Every signature that is there must be right.
 */
export function isSigned(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  const given = SIGNED.flatMap((name) => {
    const value = headers[name];
    // GitHub sends the SHA-1 of older days beside the SHA-256; it is not counted.
    return typeof value === 'string' && !value.startsWith('sha1=') ? [value] : [];
  });
  const token = headers['x-gitlab-token'];
  if (typeof token === 'string') {
    const mac = (text: string) => createHmac('sha256', secret).update(text).digest();
    return given.length === 0 && timingSafeEqual(mac(token), mac(secret));
  }
  return given.length > 0 && given.every((value) => isMac(value, expected));
}

function isMac(value: string, expected: Buffer): boolean {
  const hex = value.replace(/^sha256=/, '');
  return /^[0-9a-f]{64}$/i.test(hex) && timingSafeEqual(Buffer.from(hex, 'hex'), expected);
}

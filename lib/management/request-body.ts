import type { IncomingMessage } from 'node:http';
import { InvalidOptionsError } from '../common/errors.js';

/** No change needs more, in bytes. */
const MOST = 16_384;

/** The JSON that was sent; a page in a browser cannot send it here without asking first (Fetch, CORS preflight). */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/(?:[\w.!#$&^-]+\+)?json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new InvalidOptionsError('The body must be sent as application/json.');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST) throw new InvalidOptionsError(`The body is longer than ${MOST} bytes.`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new InvalidOptionsError('The body is no JSON.');
  }
}

import type { IncomingMessage } from 'node:http';
import { ConfigBodyError } from './config-server.errors.js';

/** Reads a body whole; throws `ConfigBodyError` when it is larger than so many bytes, or cut off. */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge(most);
  // Leaving the loop must not end the connection: the refusal goes over it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  if (!request.complete) throw new ConfigBodyError('The body was cut off.');
  return Buffer.concat(chunks);
}

/** A body in JSON, as a plain object; throws `ConfigBodyError`. */
export function readObject(body: Buffer): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new ConfigBodyError('The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigBodyError('The body is not a JSON object.');
  }
  return value as Readonly<Record<string, unknown>>;
}

function tooLarge(most: number): ConfigBodyError {
  return new ConfigBodyError(`The body is larger than ${most} bytes.`, 413);
}

import type { IncomingMessage } from 'node:http';
import { RookeryError } from '../../common/errors.js';
import type { UploadDeadline } from './upload-deadline.js';
import { formatLines, parseLines } from '../filters/header-list.js';

/** A body that is larger than a filter takes into memory. */
class BodyTooLargeError extends RookeryError {
  constructor(most: number) {
    super(`The body is larger than ${most} bytes.`, { code: 'ERR_BODY_TOO_LARGE', status: 413 });
  }
}

/** A client that left before its body was whole. */
class BodyCutOffError extends RookeryError {
  constructor() {
    super('The body was cut off.', { code: 'ERR_BODY_CUT_OFF', status: 400 });
  }
}

/** Reads a request's whole body into memory, up to a size. */
export function readWhole(
  request: IncomingMessage,
  most: number,
  pauses: UploadDeadline,
): Promise<Buffer> {
  pauses.await();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      pauses.onBytes();
      if (size > most) end(new BodyTooLargeError(most));
    };
    const onEnd = () => end();
    const onClose = () => end(new BodyCutOffError());
    const end = (error?: Error) => {
      pauses.clear();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      if (error) reject(error);
      else resolve(Buffer.concat(chunks));
    };
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/** The bytes of what a filter gave as a body, and what they are. */
export function bytesOf(body: unknown): { readonly bytes: Buffer; readonly type?: string } {
  if (body === undefined || body === null) return { bytes: Buffer.alloc(0) };
  if (typeof body === 'string')
    return { bytes: Buffer.from(body), type: 'text/plain; charset=utf-8' };
  if (body instanceof Uint8Array)
    return { bytes: Buffer.from(body), type: 'application/octet-stream' };
  return { bytes: Buffer.from(JSON.stringify(body)), type: 'application/json' };
}

/** Header lines of a request whose body is now of a length. */
export function framedAs(lines: string, length: number): string {
  const raw = parseLines(lines);
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name = '', value = ''] = raw.slice(at, at + 2);
    if (!/^(?:content-length|transfer-encoding)$/i.test(name)) kept.push(name, value);
  }
  return formatLines([...kept, 'content-length', String(length)]);
}

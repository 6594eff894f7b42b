/** What ends a chunked body without trailers (RFC 9112, 7.1). */
export const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** One chunk, its frame around it, so that it goes out in one write. */
export function framed(chunk: Buffer): Buffer {
  const size = `${chunk.length.toString(16)}\r\n`;
  const bytes = Buffer.allocUnsafe(size.length + chunk.length + 2);
  bytes.write(size, 0, 'latin1');
  chunk.copy(bytes, size.length);
  bytes.write('\r\n', size.length + chunk.length, 'latin1');
  return bytes;
}

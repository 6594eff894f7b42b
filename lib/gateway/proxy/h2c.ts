import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What is taken from a head so that nothing is left of the wish. */
const GONE = new Set(['upgrade', 'http2-settings', 'connection']);

/**
 * Whether a request would rather speak HTTP/2 in clear text, and nothing else: Java's own client says so with every first
 * request.
 *
 * A server may do as if it had not heard (RFC 9110, 7.8), and one that speaks HTTP/1.1 must: an upgrade that was passed on
 * would carry requests past the gateway's eyes.
 */
export function asksForH2c({ request, socket, early }: H2cRequest): boolean {
  const { rawHeaders, httpVersion } = request;
  if (httpVersion !== '1.1' || socket instanceof TLSSocket) return false;
  let upgrades = 0;
  let hasBody = false;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase();
    if (name === 'upgrade') {
      if (rawHeaders[at + 1]?.toLowerCase() !== 'h2c') return false;
      upgrades++;
    } else if (name === 'content-length' || name === 'transfer-encoding') hasBody = true;
  }
  // Who sends more before the answer may be speaking HTTP/2 already.
  return upgrades === 1 && (hasBody || early.length === 0);
}

/** A request that came as an upgrade. */
interface H2cRequest {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly early: Buffer;
}

/**
 * Gives a request back to the server as one of HTTP/1.1, without its wish: it is read anew, by the server's own parser, and
 * judged like any other.
 */
export function answerAsHttp1(server: Server, { request, socket, early }: H2cRequest): void {
  if (!isFree(request, socket)) {
    socket.destroy();
    return;
  }
  const { method = 'GET', url = '/', rawHeaders } = request;
  let head = `${method} ${url} HTTP/1.1\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!GONE.has(name.toLowerCase())) head += `${name}: ${value}\r\n`;
  }
  const options = connectionOf(rawHeaders);
  if (options !== '') head += `connection: ${options}\r\n`;
  socket.pause();
  socket.unshift(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), early]));
  server.emit('connection', socket);
  socket.resume();
}

/** What `Connection` says beside the wish. */
function connectionOf(rawHeaders: readonly string[]): string {
  const options: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === 'connection')
      options.push(...(rawHeaders[at + 1] ?? '').split(','));
  return options
    .map((option) => option.trim())
    .filter((option) => !/^(?:|upgrade|http2-settings)$/i.test(option))
    .join(', ');
}

/** Whether no earlier request on the connection waits for its answer; two answers at a time would be mixed up. */
function isFree(request: IncomingMessage, socket: Socket): boolean {
  const probe = new ServerResponse(request);
  try {
    probe.assignSocket(socket);
    probe.detachSocket(socket);
    return true;
  } catch {
    return false;
  }
}

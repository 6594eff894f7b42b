import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { headerOf } from './headers.js';

const KEY = /^[+/\dA-Za-z]{22}==$/;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Whether a request is the opening of a WebSocket (RFC 6455, 4.2.1) and of nothing else: other protocols, `h2c` above all,
 * would carry requests past the gateway's eyes. What version it wants is left to the upstream.
 *
 * @param early what came behind its head; nothing may be sent before the handshake is answered
 */
export function isWebSocketHandshake(request: IncomingMessage, early: Buffer): boolean {
  if (request.method !== 'GET' || request.httpVersion !== '1.1' || early.length > 0) return false;
  const { rawHeaders } = request;
  let upgrades = 0;
  let keys = 0;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase();
    const value = rawHeaders[at + 1] as string;
    if (name === 'upgrade') {
      if (value.toLowerCase() !== 'websocket') return false;
      upgrades++;
    } else if (name === 'sec-websocket-key') {
      if (!KEY.test(value)) return false;
      keys++;
    }
  }
  return upgrades === 1 && keys === 1;
}

/** Whether an answer of 101 proves that the upstream read this very handshake (RFC 6455, 4.2.2). */
export function acceptsHandshake(request: IncomingMessage, rawHeaders: readonly string[]): boolean {
  const key = headerOf(request.rawHeaders, 'sec-websocket-key') ?? '';
  const proof = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  return headerOf(rawHeaders, 'sec-websocket-accept') === proof;
}

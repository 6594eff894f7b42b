import type { IncomingHttpHeaders } from 'node:http';
import type { ReadPacket } from '@nestjs/microservices';
import { CORRELATION_HEADER, DEADLINE_HEADER } from '../common/request-context.js';

/** What travels with a message; the same names as over HTTP. */
export const CARRIED = [
  'traceparent',
  'tracestate',
  'baggage',
  CORRELATION_HEADER,
  DEADLINE_HEADER,
] as const;

/** What a header may hold: a packet can carry anything, and it may be written into a header later. */
const PRINTABLE = /^[\u0020-\u007E]{1,8192}$/;

/** How large the pattern of a message may be. */
const MAX_PATTERN_LENGTH = 1_024;
const MAX_PATTERN_DEPTH = 8;
const MAX_PATTERN_KEYS = 64;

/** Adds to a packet what travels with it; a hook's own metadata wins. */
export function carry(packet: ReadPacket, outgoing: Readonly<Record<string, string>>): ReadPacket {
  // Nest 12 gives it to the handler as `context.getMetadata()`; Nest 11 passes it on unread.
  if ('traceparent' in outgoing) packet.metadata = { ...outgoing, ...packet.metadata };
  return packet;
}

/** What came with a packet, as headers; anything that no header could hold is left out. */
export function carriedBy(packet: { readonly metadata?: unknown }): IncomingHttpHeaders {
  const { metadata } = packet;
  if (typeof metadata !== 'object' || metadata === null) return {};
  const headers: IncomingHttpHeaders = {};
  for (const name of CARRIED) {
    const value = Object.hasOwn(metadata, name)
      ? (metadata as Record<string, unknown>)[name]
      : undefined;
    if (typeof value === 'string' && PRINTABLE.test(value)) headers[name] = value;
  }
  return headers;
}

/** Whether something received is a packet that Nest can look at without harm. */
export function isPacket(value: unknown): value is ReadPacket {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'pattern')) return false;
  return isSoundPattern((value as ReadPacket).pattern);
}

/** Nest walks patterns recursively and sorts their keys: a deep one ends the process, a wide one is slow. */
function isSoundPattern(pattern: unknown): boolean {
  if (typeof pattern === 'string') return pattern.length <= MAX_PATTERN_LENGTH;
  if (typeof pattern === 'number') return true;
  if (typeof pattern !== 'object' || pattern === null) return false;
  let keys = 0;
  let level: object[] = [pattern];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MAX_PATTERN_DEPTH) return false;
    const values = level.flatMap((part) => Object.values(part) as unknown[]);
    keys += values.length;
    if (keys > MAX_PATTERN_KEYS) return false;
    level = values.filter((part): part is object => typeof part === 'object' && part !== null);
  }
  return true;
}

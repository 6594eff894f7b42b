import { EventEmitter } from 'node:events';
import { messageOf } from '../common/errors.js';
import { Redaction, withoutSecrets } from './redaction.js';

/** How deep, and how wide, a value is written. */
const MAX_DEPTH = 5;
const MAX_ITEMS = 100;

/** Nothing but what is allowed to everybody. */
const STRICT = new Redaction();

/** An error as it is written: chosen fields alone, because errors of HTTP clients carry the request and its headers. */
export function errorFields(error: unknown, depth = 0): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: withoutSecrets(messageOf(error)) };
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: withoutSecrets(messageOf(error)),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: withoutSecrets(error.stack) }),
    ...(error.cause === undefined || depth >= MAX_DEPTH
      ? {}
      : { cause: errorFields(error.cause, depth + 1) }),
  };
}

/** A value as it is written: plain JSON of bounded size, without headers and secrets, whatever it was. */
export function dataFields(value: unknown, redaction = STRICT, depth = 0): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorFields(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  // Requests, responses and sockets: endless, and full of what nobody may read.
  if (value instanceof EventEmitter || depth >= MAX_DEPTH) return `[${nameOf(value)}]`;
  if (value instanceof Map) return dataFields(Object.fromEntries(value), redaction, depth);
  const items = value instanceof Set ? [...value] : value;
  if (Array.isArray(items)) {
    return items.slice(0, MAX_ITEMS).map((item) => dataFields(item, redaction, depth + 1));
  }
  const entries = Object.entries(items).slice(0, MAX_ITEMS);
  return Object.fromEntries(
    entries.map(([key, item]) => [
      key,
      redaction.of(key, item) ?? dataFields(item, redaction, depth + 1),
    ]),
  );
}

function nameOf(value: object): string {
  return value.constructor?.name ?? 'object';
}

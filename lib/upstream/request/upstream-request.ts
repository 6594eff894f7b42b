import { CONNECTION_FIELDS } from '../connection-fields.js';
import type { Readable } from 'node:stream';
import type { Duration } from '../../common/duration.js';
import { InvalidRequestError } from '../upstream.errors.js';

/** What `Upstream.request` sends. */
export interface UpstreamRequest {
  /** @default 'GET' */
  readonly method?: string;
  /** Path and query as they go on the wire: `/stock/7?at=berlin`. */
  readonly path: string;
  /** Host, framing and connection fields are ours and refused; a field that is `undefined` is left out. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** A stream is sent as it comes, and such a call is never sent twice. */
  readonly body?: string | Uint8Array | Readable;
  /** How long the whole call may take, the answer's body included. Default: only the upstream's own timeouts. */
  readonly timeout?: Duration;
  /** Gives the call up when it aborts. */
  readonly signal?: AbortSignal;
  /**
   * Whether it does no harm twice (RFC 9110, 9.2.2), so that it may be sent again after it was sent.
   * @default whether its method is safe, or it has an `idempotency-key`
   */
  readonly idempotent?: boolean;
}

/** Methods that change nothing (RFC 9110, 9.2.1). */
export const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/;
/** Visible ASCII; anything else must be percent-encoded (RFC 3986). */
const PATH = /^\/[\x21-\x22\x24-\x7e]*$/;
// oxlint-disable-next-line no-control-regex -- refusing control characters is the point
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A request that was checked, as text: what goes before and after the `host` field. */
export interface RequestText {
  readonly method: string;
  readonly path: string;
  /** Whether it may be done twice: its method is safe, or its caller says so, or has named it. */
  readonly idempotent: boolean;
  readonly requestLine: string;
  readonly fields: string;
  readonly body: Buffer | Readable | undefined;
}

/** Checks a request and writes it down; throws `InvalidRequestError` for anything that could not go on the wire safely. */
export function writeRequest(request: UpstreamRequest): RequestText {
  const { method = 'GET', path } = request;
  if (!TOKEN.test(method)) refuse(`"${printable(method)}" is no request method`);
  if (!PATH.test(path)) {
    refuse(
      `the path "${printable(path)}" does not begin with "/" or has characters that must be percent-encoded`,
    );
  }
  const body = bodyOf(request.body);
  let fields = '';
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value === undefined) continue;
    for (const each of typeof value === 'string' ? [value] : value) fields += field(name, each);
  }
  return {
    method,
    path,
    requestLine: `${method} ${path} HTTP/1.1\r\n`,
    fields: fields + framing(method, body),
    body,
    idempotent: request.idempotent ?? (SAFE.has(method) || hasKey(request)),
  };
}

/** Whether its caller named it, so that the service can tell a second one from a new one. */
function hasKey({ headers = {} }: UpstreamRequest): boolean {
  for (const name in headers) {
    if (name.length === 15 && name.toLowerCase() === 'idempotency-key')
      return headers[name] !== undefined;
  }
  return false;
}

function field(name: string, value: string): string {
  if (!TOKEN.test(name)) refuse(`"${printable(name)}" is no header name`);
  if (CONNECTION_FIELDS.has(name.toLowerCase()))
    refuse(`the header "${name}" is set by the connection itself`);
  // A line end in a value would begin a header, or a request, of someone else's.
  if (typeof value !== 'string' || !VALUE.test(value)) {
    refuse(`the header "${name}" has a control or non-latin1 character in its value`);
  }
  return `${name}: ${value}\r\n`;
}

function framing(method: string, body: Buffer | Readable | undefined): string {
  if (Buffer.isBuffer(body)) return `content-length: ${body.length}\r\n`;
  if (body !== undefined) return 'transfer-encoding: chunked\r\n';
  // RFC 9110, 8.6: methods that usually have a body say that they have none.
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 'content-length: 0\r\n' : '';
}

function bodyOf(body: UpstreamRequest['body']): Buffer | Readable | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return body;
}

function printable(text: unknown): string {
  return String(text)
    .slice(0, 100)
    .replaceAll(/[^\x20-\x7e]/g, '?');
}

function refuse(problem: string): never {
  throw new InvalidRequestError(problem);
}

import { IDENTITY_HEADER } from '../../security/identity/identity-token.js';
/** Names that end at each hop (RFC 9110, 7.6.1), and `Expect`, which Node has answered. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What the gateway sets itself, whoever asks. */
const OWN = new Set(['host', 'traceparent', 'tracestate', 'x-correlation-id', IDENTITY_HEADER]);

/** What tells of the client on behalf of a proxy; believed only of trusted ones. */
const FORWARDED = new Set([
  'forwarded',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-host',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
]);

/** Not even `Connection` can take these away: without them a request would be another one. */
const KEPT = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'host',
]);

/** The small letters that begin a name of the lists above. */
const SUSPECT = new Uint8Array(128);
for (const name of [...HOP_BY_HOP, ...OWN, ...FORWARDED, 'x-forwarded-']) {
  const first = name.charCodeAt(0);
  SUSPECT[first] = SUSPECT[first - 32] = 1;
}

/** What the gateway says of a client to the upstream. */
export interface ForwardedFor {
  /** The client's address. */
  readonly address: string;
  readonly proto: 'http' | 'https';
  /** Whether the client is a proxy whose own word on this is passed on. */
  readonly trusted: boolean;
}

/** Header lines as they came, beside what was read of them, so that those that pass need not be written anew. */
export interface WrittenLines {
  /** Where each line begins, and behind them where the last one ends. */
  readonly starts: readonly number[];
  readonly text: string;
}

/**
 * The header lines for the upstream, as latin1, without `Host` and without the empty line.
 *
 * In this order: what ends at this hop goes, then what `Connection` names goes, then the gateway's own lines come, so
 * that no client can take them away or write them itself. No `Via` is sent, as nginx, HAProxy and Envoy send none:
 * servers switch compression off when they see one.
 */
export function requestLines(
  rawHeaders: readonly string[],
  by: ForwardedFor,
  publicHost: string,
  written?: WrittenLines,
): string {
  const named = namedByConnection(rawHeaders);
  let lines = '';
  // Where lines begin that pass together, as they came.
  let run = -1;
  let addresses = '';
  let trailers = false;
  let proto: string = by.proto;
  let host = publicHost;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    const fate = fateOf(name, by.trusted);
    // A proper `TE` is named there too.
    const isNamed = fate !== 'te' && named?.has(name.toLowerCase());
    if (fate === 'pass' && !isNamed) {
      if (written === undefined) lines += `${name}: ${value}\r\n`;
      else if (run < 0) run = at;
      continue;
    }
    if (run >= 0) lines += textOf(written, run, at);
    run = -1;
    if (fate === 'drop' || isNamed) continue;
    if (fate === 'for') addresses += `${value}, `;
    else if (fate === 'proto') proto = value;
    else if (fate === 'te') trailers ||= wantsTrailers(value);
    else host = value;
  }
  if (run >= 0) lines += textOf(written, run, rawHeaders.length);
  // It ends at each hop like the rest, so it is said anew (RFC 9110, 10.1.4).
  if (trailers) lines += 'te: trailers\r\nconnection: TE\r\n';
  lines += `x-forwarded-for: ${addresses}${by.address}\r\nx-forwarded-proto: ${proto}\r\n`;
  return host === '' ? lines : `${lines}x-forwarded-host: ${host}\r\n`;
}

/** The lines of some headers, by their places among names and values. */
function textOf(written: WrittenLines | undefined, from: number, to: number): string {
  return written === undefined
    ? ''
    : written.text.slice(written.starts[from >> 1], written.starts[to >> 1]);
}

type Fate = 'pass' | 'drop' | 'for' | 'proto' | 'host' | 'te';

function fateOf(name: string, trusted: boolean): Fate {
  const first = name.charCodeAt(0);
  if (first < 128 && SUSPECT[first] === 0) return 'pass';
  const lower = name.toLowerCase();
  // Some servers read `X_Real_IP` as `X-Real-IP`.
  const plain = lower.includes('_') ? lower.replaceAll('_', '-') : lower;
  if (lower === 'te') return 'te';
  if (HOP_BY_HOP.has(plain) || OWN.has(plain)) return 'drop';
  const isForwarded = plain.startsWith('x-forwarded-') || FORWARDED.has(plain);
  if (!isForwarded) return 'pass';
  if (!trusted || plain !== lower) return 'drop';
  if (lower === 'x-forwarded-for') return 'for';
  if (lower === 'x-forwarded-proto') return 'proto';
  return lower === 'x-forwarded-host' ? 'host' : 'pass';
}

/** The names that `Connection` adds to those that end here; undefined in the usual case that there are none. */
function namedByConnection(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length !== 10 || rawHeaders[at]?.toLowerCase() !== 'connection') continue;
    const value = rawHeaders[at + 1] as string;
    if (value === 'keep-alive' || value === 'close') continue;
    for (const part of value.split(',')) {
      const name = part.trim().toLowerCase();
      if (name !== '' && !KEPT.has(name)) (names ??= new Set()).add(name);
    }
  }
  return names;
}

/** Whether a `TE` says that trailers are read. */
export function wantsTrailers(te: string | undefined): boolean {
  return te !== undefined && /(?:^|,)[ \t]*trailers[ \t]*(?:;|,|$)/i.test(te);
}

/** The value of the first header of a name in small letters. */
export function headerOf(rawHeaders: readonly string[], wanted: string): string | undefined {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === wanted.length && name.toLowerCase() === wanted) return rawHeaders[at + 1];
  }
  return undefined;
}

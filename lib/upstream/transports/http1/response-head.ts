/** A whole head: RFC 9112, 4 and 5, without obsolete folding, and no control character in any value. */
const HEAD =
  // oxlint-disable-next-line no-control-regex -- refusing control characters is the point
  /^HTTP\/1\.[01] [1-5]\d\d(?: [^\0-\x08\n-\x1f\x7f]*)?(?:\r\n[\w!#$%&'*+\-.^`|~]+:[^\0-\x08\n-\x1f\x7f]*)*$/;

/** The lines of a trailer section, each with its CRLF. */
// oxlint-disable-next-line no-control-regex -- refusing control characters is the point
const TRAILERS = /^(?:[\w!#$%&'*+\-.^`|~]+:[^\0-\x08\n-\x1f\x7f]*\r\n)*$/;

/** Fields that concern this one connection only (RFC 9110, 7.6.1), or that its framing has used up. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields that stay even if `Connection` names them: without them the answer would mean something else. */
const END_TO_END = new Set([
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'set-cookie',
  'www-authenticate',
]);

/** Fields that mean nothing good after a body (RFC 9110, 6.5.1). */
const NEVER_TRAILERS = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'set-cookie',
]);

/** What the head of an answer says, read into the same object again and again. */
export class ResponseHead {
  status = 0;
  /** Alternating names and values, without hop-by-hop fields. */
  rawHeaders: string[] = [];
  /** -1 when the head says none. */
  contentLength = -1;
  chunked = false;
  /** Whether the connection may serve another request. */
  keepAlive = true;
  /** How long the server keeps an idle connection, in seconds; -1 when it does not say. */
  keepAliveSeconds = -1;
  /** The protocol it names in `Upgrade`, in small letters; empty when it names none. */
  protocol = '';
  private listed: Set<string> | undefined;
  private closes = false;

  /** Reads a head without its last two line ends; returns what is wrong with it, if anything. */
  read(text: string): string | undefined {
    if (!HEAD.test(text)) return explain(text);
    this.status =
      text.charCodeAt(9) * 100 + text.charCodeAt(10) * 10 + text.charCodeAt(11) - 48 * 111;
    this.rawHeaders = [];
    this.contentLength = -1;
    this.chunked = false;
    this.closes = false;
    this.keepAlive = text.charCodeAt(7) === 0x31;
    this.keepAliveSeconds = -1;
    this.protocol = '';
    this.listed = undefined;
    const problem = this.readFields(text);
    if (problem !== undefined) return problem;
    if (this.closes) this.keepAlive = false;
    if (this.chunked && this.contentLength >= 0)
      return 'it has both Content-Length and Transfer-Encoding';
    if (this.chunked && text.charCodeAt(7) === 0x30)
      return 'it has Transfer-Encoding in an HTTP/1.0 answer';
    if (this.listed !== undefined) this.dropListed(this.listed);
    return undefined;
  }

  private readFields(text: string): string | undefined {
    let end = text.indexOf('\r\n');
    while (end >= 0) {
      const start = end + 2;
      end = text.indexOf('\r\n', start);
      const colon = text.indexOf(':', start);
      const name = text.slice(start, colon);
      const value = trimmed(text, colon + 1, end < 0 ? text.length : end);
      if (!mayConcernFraming(name)) {
        this.rawHeaders.push(name, value);
        continue;
      }
      const problem = this.readFraming(name, value);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private readFraming(name: string, value: string): string | undefined {
    const lower = name.toLowerCase();
    switch (lower) {
      case 'content-length':
        if (this.contentLength >= 0) return 'it has more than one Content-Length';
        if (!/^\d{1,15}$/.test(value)) return 'its Content-Length is no number';
        this.contentLength = Number(value);
        // A 204 has no body, and no Content-Length either (RFC 9110, 8.6).
        if (this.status !== 204 && this.status >= 200) this.rawHeaders.push(name, value);
        return undefined;
      case 'transfer-encoding':
        if (this.chunked || value.toLowerCase() !== 'chunked')
          return 'its Transfer-Encoding is not just "chunked"';
        this.chunked = true;
        return undefined;
      case 'connection':
        this.readConnection(value.toLowerCase());
        return undefined;
      case 'keep-alive':
        this.keepAliveSeconds = Number(/timeout=(\d{1,9})/i.exec(value)?.[1] ?? -1);
        return undefined;
      case 'upgrade':
        this.protocol = this.protocol === '' ? value.toLowerCase() : `${this.protocol},${value}`;
        return undefined;
      default:
        if (!HOP_BY_HOP.has(lower)) this.rawHeaders.push(name, value);
        return undefined;
    }
  }

  private readConnection(value: string): void {
    if (value === 'keep-alive') this.keepAlive = true;
    else if (value === 'close') this.closes = true;
    else {
      for (const part of value.split(',')) {
        const option = part.trim();
        if (option === 'close') this.closes = true;
        else if (option === 'keep-alive') this.keepAlive = true;
        else if (option && !END_TO_END.has(option)) (this.listed ??= new Set()).add(option);
      }
    }
  }

  private dropListed(listed: ReadonlySet<string>): void {
    const all = this.rawHeaders;
    this.rawHeaders = [];
    for (let i = 0; i < all.length; i += 2) {
      const name = all[i] as string;
      if (!listed.has(name.toLowerCase())) this.rawHeaders.push(name, all[i + 1] as string);
    }
  }
}

/** Reads trailer lines, each with its line end: alternating names and values, or `undefined` when malformed. */
export function readTrailers(text: string): string[] | undefined {
  if (!TRAILERS.test(text)) return undefined;
  const trailers: string[] = [];
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon);
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || NEVER_TRAILERS.has(lower)) continue;
    trailers.push(name, trimmed(line, colon + 1, line.length));
  }
  return trailers;
}

/** A cheap look at the length spares most fields the lower-casing. */
function mayConcernFraming(name: string): boolean {
  switch (name.length) {
    case 2: // te
    case 7: // upgrade, trailer
    case 10: // connection, keep-alive
    case 14: // content-length
    case 16: // proxy-connection
    case 17: // transfer-encoding
    case 18: // proxy-authenticate
    case 19: // proxy-authorization
    case 25: // proxy-authentication-info
      return true;
    default:
      return false;
  }
}

/** A part of a text without the spaces and tabs around it. */
function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Why a head is none; nothing of it is quoted, because the sentence may reach a stranger. */
function explain(text: string): string {
  const [first = '', ...fields] = text.split('\r\n');
  if (!/^HTTP\/\d\.\d \d\d\d(?: |$)/.test(first)) return 'its status line is malformed';
  if (!/^HTTP\/1\.[01] /.test(first)) return 'its version is neither HTTP/1.0 nor HTTP/1.1';
  if (!/^.{9}[1-5]/.test(first)) return 'its status is not between 100 and 599';
  if (fields.some((line) => /^[ \t]/.test(line))) return 'it folds a header over two lines';
  if (fields.some((line) => /^[^:]*[ \t]:/.test(line))) return 'it has a space before a colon';
  // oxlint-disable-next-line no-control-regex -- refusing control characters is the point
  if (/[\0-\x08\n-\x1f\x7f]/.test(text.replaceAll('\r\n', '')))
    return 'it has a control character in its head';
  return 'it has a malformed header';
}

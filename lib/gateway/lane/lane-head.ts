import type { WrittenLines } from '../proxy/headers.js';
import type { RequestHead } from '../proxy/request-head.js';

/**
 * The whole of a head that the lane reads, without the empty line behind it: seven methods, a target that begins with a
 * slash, HTTP/1.1, and lines of a token, a colon and a value without controls. No folding, no lone CR or LF (RFC 9112, 2.2).
 */
const GRAMMAR =
  /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/[\x21-\x7e]* HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)+$/;

/** Fields by which a request asks for more than to be passed on, or by which two readers could frame it differently. */
const REFUSED = new Set([
  'expect',
  'http2-settings',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** No blank behind the digits: Node 20 refuses a tab there. */
const LENGTH = /^[ \t]*\d{1,15}$/;

/**
 * The head of a request as the lane reads it; one object serves all requests, because it is read at once.
 *
 * It takes less than Node does, and what it takes, Node takes too and reads the same: a fuzzer holds it there. The rest is
 * none of its business, wrong or not.
 */
export class LaneHead implements RequestHead, WrittenLines {
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  method = '';
  url = '';
  rawHeaders: string[] = [];
  text = '';
  readonly starts: number[] = [];
  /** Whether the client keeps the connection. */
  keepAlive = true;
  private hosts = 0;
  private lengths = 0;

  /** Reads a head without the empty line behind it; false leaves it to Node. */
  read(text: string): boolean {
    if (!GRAMMAR.test(text)) return false;
    const space = text.indexOf(' ');
    const line = text.indexOf('\r\n');
    this.method = text.slice(0, space);
    this.url = text.slice(space + 1, line - ' HTTP/1.1'.length);
    this.rawHeaders = [];
    this.text = text;
    this.keepAlive = true;
    this.hosts = this.lengths = 0;
    return this.readFields(text, line + 2) && this.hosts === 1;
  }

  private readFields(text: string, from: number): boolean {
    const { rawHeaders, starts } = this;
    let count = 0;
    let start = from;
    for (; start < text.length; count++) {
      const end = text.indexOf('\r\n', start);
      const colon = text.indexOf(':', start);
      const name = text.slice(start, colon);
      const value = trimmed(text, colon + 1, end);
      if (matters(name.length) && !this.see(name, value, text.slice(colon + 1, end))) return false;
      rawHeaders.push(name, value);
      starts[count] = start;
      start = end + 2;
    }
    starts[count] = start;
    return true;
  }

  /** Looks closer at a field that may matter; false leaves the request to Node. */
  private see(name: string, value: string, written: string): boolean {
    const lower = name.toLowerCase();
    if (lower === 'host') return ++this.hosts === 1;
    if (lower === 'content-length') return ++this.lengths === 1 && LENGTH.test(written);
    if (lower === 'connection') return this.seeConnection(value.toLowerCase(), written);
    return !REFUSED.has(lower);
  }

  private seeConnection(value: string, written: string): boolean {
    if (value === 'close') this.keepAlive = false;
    else if (value !== 'keep-alive') return false;
    // Node 20 does not know the word with a tab behind it.
    return !isBlank(written.charCodeAt(written.length - 1));
  }
}

/** A look at the length spares most names the lower-casing. */
function matters(length: number): boolean {
  switch (length) {
    case 2: // te
    case 4: // host
    case 6: // expect
    case 7: // trailer, upgrade
    case 10: // connection
    case 14: // content-length, http2-settings
    case 16: // proxy-connection
    case 17: // transfer-encoding
    case 18: // proxy-authenticate
    case 19: // proxy-authorization
      return true;
    default:
      return false;
  }
}

function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

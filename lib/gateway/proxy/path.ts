/** A request's target, taken apart; one object serves all requests, because it is read at once. */
export class RequestTarget {
  /** The path as the upstream gets it. */
  path = '/';
  /** The path as routes see it: without what follows a semicolon in a segment. */
  matched = '/';
  /** The query as it came, with its question mark; empty when there is none. */
  query = '';
  /** The authority of an absolute target, `http://host/path`; empty otherwise. */
  authority = '';

  constructor(private readonly encodedSlash = false) {}

  /**
   * Reads a request line's target into this object; false means 400.
   *
   * There is one canonical path, and routes, filters, logs and the upstream all use it: characters that need no
   * encoding are decoded, slashes merged, dots resolved. What two readers could understand differently is refused:
   * backslashes, encoded slashes and controls, a bad `%`, `#`, raw bytes beyond ASCII, and dots above the root.
   */
  read(target: string): boolean {
    this.authority = '';
    let from = 0;
    if (target.charCodeAt(0) !== SLASH) {
      from = this.readAuthority(target);
      if (from === -1) return false;
    }
    const mark = target.indexOf('?', from);
    const end = mark === -1 ? target.length : mark;
    this.query = mark === -1 ? '' : target.slice(mark);
    if (mark !== -1 && !isQuery(target, mark)) return false;
    // An absolute target may have no path at all (RFC 9112, 3.2.2).
    const path = from === end && from > 0 ? '/' : target.slice(from, end);
    if (isCanonical(path)) {
      this.path = this.matched = path;
      return true;
    }
    return this.canonicalise(path);
  }

  /** Where the path of an absolute target begins, or -1 when the target is none. */
  private readAuthority(target: string): number {
    const found = /^https?:\/\/([^/?#@\\]+)(?=[/?]|$)/i.exec(target);
    if (!found?.[1]) return -1;
    this.authority = found[1];
    return found[0].length;
  }

  private canonicalise(path: string): boolean {
    const decoded = decodeHarmless(path, this.encodedSlash);
    if (decoded === undefined || !decoded.startsWith('/')) return false;
    const kept: string[] = [];
    const names: string[] = [];
    let open = false;
    for (const segment of decoded.split('/')) {
      const semicolon = segment.indexOf(';');
      const name = semicolon === -1 ? segment : segment.slice(0, semicolon);
      // A segment of parameters alone means nothing to some and a segment to others.
      if (name === '' && semicolon === 0) return false;
      open = name === '' || name === '.' || name === '..';
      if (name === '..' && kept.pop() === undefined) return false;
      if (name === '..') names.pop();
      if (open) continue;
      kept.push(segment);
      names.push(name);
    }
    const last = open && kept.length > 0 ? '/' : '';
    this.path = `/${kept.join('/')}${last}`;
    this.matched = `/${names.join('/')}${last}`;
    return true;
  }
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** 1: nothing in a path needs a closer look because of it. */
const PLAIN = new Uint8Array(128);
for (let code = 0x21; code < 0x7f; code++)
  PLAIN[code] = '%;#\\?'.includes(String.fromCharCode(code)) ? 0 : 1;

/** Whether a path is canonical as it stands, as nearly all are. */
function isCanonical(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let before = 0;
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code > 0x7e || PLAIN[code] === 0) return false;
    // An empty segment, or one that may be of dots.
    if (before === SLASH && (code === SLASH || code === DOT)) return false;
    before = code;
  }
  return true;
}

/** Bytes of a query pass as they are; controls and fragments do not belong there. */
function isQuery(target: string, from: number): boolean {
  for (let at = from; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f || code === 0x23) return false;
  }
  return true;
}

const ESCAPE = /%(.{0,2})/gs;
const RAW = /^[!-~]+$/;

/** Decodes what needs no encoding, writes the rest in capitals; undefined where something is refused. */
function decodeHarmless(path: string, encodedSlash: boolean): string | undefined {
  if (!RAW.test(path) || /[\\#]/.test(path)) return undefined;
  let refused = false;
  const decoded = path.replaceAll(ESCAPE, (_all, hex: string) => {
    const code = /^[\da-f]{2}$/i.test(hex) ? Number.parseInt(hex, 16) : -1;
    if (isRefused(code) || (code === SLASH && !encodedSlash)) refused = true;
    const char = String.fromCharCode(code);
    return /[\w.~!*'()-]/.test(char) ? char : `%${hex.toUpperCase()}`;
  });
  return refused ? undefined : decoded;
}

/** A bad escape, a backslash, a control, or a byte that UTF-8 never has. */
function isRefused(code: number): boolean {
  return (
    code < 0x20 || code === 0x5c || code === 0x7f || code === 0xc0 || code === 0xc1 || code > 0xf4
  );
}

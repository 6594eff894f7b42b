import type { CallKey } from '../load-balancing/load-balancing-strategy.js';
import type { UpstreamCall } from './upstream-call.js';

function keyValue(
  key: CallKey,
  path: string,
  field: (name: string) => string | undefined,
): string | undefined {
  if (key === 'path') return path.split('?', 1)[0];
  if ('header' in key) return field(key.header);
  return cookieIn(field('cookie'), key.cookie);
}

/** The value of a cookie in a `Cookie` header (RFC 6265, 4.2.1). */
function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** A call that knows what it sends before it is sent: its path with the query, and its header lines. */
interface WrittenCall {
  readonly target: string;
  readonly lines: string;
}

/** What a call has under a key; one that is not written down yet has nothing. */
export function keyOf(
  call: UpstreamCall | (UpstreamCall & WrittenCall),
  key: CallKey,
): string | undefined {
  if (!('target' in call)) return undefined;
  return keyValue(key, call.target, (name) => {
    for (const line of call.lines.split('\r\n')) {
      const at = line.indexOf(':');
      if (line.slice(0, at).toLowerCase() === name) return line.slice(at + 1).trim();
    }
    return undefined;
  });
}

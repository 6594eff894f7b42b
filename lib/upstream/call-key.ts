import type { CallKey } from '../load-balancing/load-balancing-strategy.js';

/** What a request has under a key: `field` gives the value of a header by its name in small letters. */
export function keyValue(
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

/** The same for a request that is written down already. */
export function keyInFields(
  key: CallKey,
  { requestLine, fields }: { readonly requestLine: string; readonly fields: string },
): string | undefined {
  return keyValue(key, requestLine.split(' ')[1] ?? '/', (name) => {
    for (const line of fields.split('\r\n')) {
      const at = line.indexOf(':');
      if (line.slice(0, at).toLowerCase() === name) return line.slice(at + 1).trim();
    }
    return undefined;
  });
}

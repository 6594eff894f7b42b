import { isIP } from 'node:net';
import { headerOf } from '../proxy/headers.js';

/**
 * The address of the client itself: of a chain of proxies the first from the right that is not trusted. What stands
 * further left anybody could have written.
 *
 * @param hops how many proxies there are, when they are counted and not known by address; 0 asks `isTrusted`
 */
export function clientAddress(
  peer: string,
  rawHeaders: readonly string[],
  { isTrusted, hops }: { readonly isTrusted: (address: string) => boolean; readonly hops: number },
): string {
  if (hops === 0 && !isTrusted(peer)) return peer;
  const chain = forwardedFor(rawHeaders);
  let address = peer;
  for (let at = chain.length - 1, passed = 1; at >= 0; at--, passed++) {
    const next = chain[at] as string;
    // A word that is no address ends what can be believed.
    if (isIP(next) === 0) return address;
    address = next;
    if (hops > 0 ? passed >= hops : !isTrusted(next)) return address;
  }
  return address;
}

function forwardedFor(rawHeaders: readonly string[]): readonly string[] {
  const value = headerOf(rawHeaders, 'x-forwarded-for');
  return value === undefined ? [] : value.split(',').map((part) => part.trim());
}

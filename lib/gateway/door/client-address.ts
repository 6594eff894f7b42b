import { isIP } from 'node:net';

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
  const chain: string[] = [];
  // A proxy may add a line of its own behind one that its client has written.
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() !== 'x-forwarded-for') continue;
    for (const part of (rawHeaders[at + 1] as string).split(',')) chain.push(plain(part.trim()));
  }
  return chain;
}

/** An IPv4 address that a proxy wrote as one of IPv6 is the same. */
function plain(address: string): string {
  return /^::ffff:\d+\./i.test(address) ? address.slice(7) : address;
}

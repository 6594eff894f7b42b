import type { Endpoint } from '../endpoint.js';

/** How many places an endpoint of weight 1 has on the ring; with 100 its share differs from the fair one by some 10 %. */
const PLACES = 100;

/** A circle of hashes on which each endpoint has places, so that few keys move when one comes or goes (Karger et al., 1997). */
export class HashRing<E extends Endpoint> {
  private readonly hashes: Uint32Array;
  private readonly owners: readonly E[];

  constructor(readonly candidates: readonly E[]) {
    const places = candidates.flatMap((endpoint) => {
      const count = Math.max(1, Math.round(PLACES * endpoint.weight));
      return Array.from({ length: count }, (_, at) => ({
        hash: hashOf(`${endpoint.instance.id}#${at}`),
        endpoint,
      }));
    });
    places.sort((one, other) => one.hash - other.hash);
    this.hashes = Uint32Array.from(places, ({ hash }) => hash);
    this.owners = places.map(({ endpoint }) => endpoint);
  }

  /** The first place at or behind a key's hash. */
  placeOf(key: string): number {
    const hash = hashOf(key);
    let low = 0;
    let high = this.hashes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.hashes[middle] as number) < hash) low = middle + 1;
      else high = middle;
    }
    return low === this.hashes.length ? 0 : low;
  }

  get places(): number {
    return this.owners.length;
  }

  ownerAt(place: number): E {
    return this.owners[place % this.owners.length] as E;
  }
}

/** FNV-1a with the finish of MurmurHash3, because the last letters of similar keys must move all of its bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

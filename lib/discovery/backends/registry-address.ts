import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { refuse } from '../../common/option-readers.js';
import { type RegistryTls, tlsMaterial } from './registry-tls.js';

/** Reads the address of a registry, with or without its scheme; what is more than an address is refused with its path. */
export function readRegistryUrl(
  path: string,
  given: string,
  { secure = false, like }: { readonly secure?: boolean; readonly like: string },
): URL {
  const text = /^[a-z]+:\/\//i.test(given) ? given : `${secure ? 'https' : 'http'}://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.username || url?.password) {
    refuse(path, 'carries a user or a password', 'Give them as options of their own.');
  }
  if ((url?.protocol !== 'http:' && url?.protocol !== 'https:') || url.search || url.hash) {
    refuse(path, `is '${given}', no address over HTTP`, `Write it like '${like}'.`);
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** A pool of connections to a registry. */
export function makePool(
  url: URL,
  { tls, maxSockets, path }: { tls: RegistryTls; maxSockets: number; path: string },
): HttpAgent {
  if (url.protocol !== 'https:') return new HttpAgent({ keepAlive: true, maxSockets });
  return new HttpsAgent({ keepAlive: true, maxSockets, ...tlsMaterial(tls, path) });
}

import { headerOf } from '../proxy/headers.js';
import { DoorStep, type Verdict } from './door-step.js';
import type { Visit } from './visit.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const REFUSED = { status: 403, headers: [], reason: 'another site sent it with cookies' };

/**
 * Refuses what another site makes a browser send with its cookies. Browsers say where a request comes from, in
 * `Sec-Fetch-Site` (Fetch Metadata) or `Origin`; no page can change either. What carries neither is no browser's.
 */
export class CsrfStep extends DoorStep {
  override readonly name = 'csrf';

  /** @param origins those besides the route's own that may */
  constructor(private readonly origins: ReadonlySet<string>) {
    super();
  }

  override enter({ method, rawHeaders, socket }: Visit): Verdict {
    const upgrades = headerOf(rawHeaders, 'upgrade') !== undefined;
    // A WebSocket's handshake is a GET, and yet opens a door with cookies.
    if (SAFE.has(method) && !upgrades) return undefined;
    if (headerOf(rawHeaders, 'cookie') === undefined) return undefined;
    const origin = headerOf(rawHeaders, 'origin');
    if (origin !== undefined && this.origins.has(origin)) return undefined;
    const site = headerOf(rawHeaders, 'sec-fetch-site');
    if (site !== undefined) return site === 'same-origin' || site === 'none' ? undefined : REFUSED;
    if (origin === undefined) return undefined;
    const scheme = 'encrypted' in socket ? 'https' : 'http';
    const host = headerOf(rawHeaders, 'host') ?? '';
    // Behind a proxy that ends TLS the scheme differs; the host is what counts.
    return origin === `${scheme}://${host}` || origin === `https://${host}` ? undefined : REFUSED;
  }
}

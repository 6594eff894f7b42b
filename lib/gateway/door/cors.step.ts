import { headerOf } from '../proxy/headers.js';
import type { CorsSettings } from './cors.options.js';
import { DoorStep, type Verdict } from './door-step.js';
import type { Visit } from './visit.js';

/**
 * Cross-origin requests of browsers (Fetch Standard, 3.2): preflights are answered here, and answers get this route's
 * words in place of whatever the service says.
 */
export class CorsStep extends DoorStep {
  override readonly name = 'cors';
  private readonly any: boolean;

  constructor(private readonly settings: CorsSettings) {
    super();
    this.any = settings.origins.includes('*');
  }

  override enter(visit: Visit): Verdict {
    if (visit.method !== 'OPTIONS') return undefined;
    const { rawHeaders } = visit;
    const wanted = headerOf(rawHeaders, 'access-control-request-method');
    if (wanted === undefined || headerOf(rawHeaders, 'origin') === undefined) return undefined;
    return { status: 204, headers: this.preflight(wanted), reason: 'a preflight', plain: true };
  }

  override dress(visit: Visit, rawHeaders: string[]): void {
    removeCors(rawHeaders);
    const origin = headerOf(visit.rawHeaders, 'origin');
    if (!this.any) rawHeaders.push('vary', 'Origin');
    if (origin === undefined || !this.allows(origin)) return;
    const { credentials, exposed } = this.settings;
    rawHeaders.push('access-control-allow-origin', this.any ? '*' : origin);
    if (credentials) rawHeaders.push('access-control-allow-credentials', 'true');
    if (exposed.length > 0 && visit.method !== 'OPTIONS')
      rawHeaders.push('access-control-expose-headers', exposed.join(', '));
  }

  /** The origin itself is added when the answer is dressed. */
  private preflight(wanted: string): readonly string[] {
    const { methods, headers, maxAge } = this.settings;
    if (!methods.includes(wanted)) return [];
    return [
      'access-control-allow-methods',
      methods.join(', '),
      ...(headers.length > 0 ? ['access-control-allow-headers', headers.join(', ')] : []),
      'access-control-max-age',
      String(Math.floor(maxAge / 1_000)),
    ];
  }

  private allows(origin: string): boolean {
    return this.any || this.settings.origins.includes(origin);
  }
}

const OURS = new Set([
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]);

/** The service's own words would stand beside the gateway's, and a browser takes none of two. */
function removeCors(rawHeaders: string[]): void {
  let kept = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (OURS.has((rawHeaders[at] as string).toLowerCase())) continue;
    rawHeaders[kept++] = rawHeaders[at] as string;
    rawHeaders[kept++] = rawHeaders[at + 1] as string;
  }
  rawHeaders.length = kept;
}

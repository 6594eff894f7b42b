import type { AccessRule } from '../../security/access-rule.js';
import type { RateLimit } from '../../security/rate-limits/rate-limit.js';
import type { CorsOptions } from './cors.options.js';

/** What a route says of who may use it, and how often. */
export interface RouteAccess {
  /** Who may use it: `{ scopes: ['orders:read'] }`. @default whoever is known to the gateway */
  readonly auth?: AccessRule | readonly AccessRule[];
  /** Whether everyone may use it, unknown or not. @default the gateway's `security.access` */
  readonly public?: boolean;
  /** How often it may be used, besides the gateway's own limits. @default without limit of its own */
  readonly rateLimits?: readonly RateLimit[];
  /** Which pages of other origins may use it; `false` says nothing of them. @default the gateway's `security.cors` */
  readonly cors?: CorsOptions | false;
}

import { SetMetadata } from '@nestjs/common';
import type { Duration } from '../../common/duration.js';
import type { AccessRule } from '../../security/access-rule.js';
import type { RateLimit } from '../../security/rate-limits/rate-limit.js';
import type { RoutePredicateData } from './route-predicates.js';

/** Where `@GatewayRoute` leaves what it was told. */
export const GATEWAY_ROUTE = 'rookery:gateway-route';

/** What a service says to gateways about a route, beside its path. */
export interface GatewayRouteOptions {
  /** How long the answer's head may take. @default the gateway's own */
  readonly timeout?: Duration;
  /**
   * Who may use it, kept by the gateway: `{ scopes: ['orders:read'] }`; what a handler says comes on top of its
   * controller's. @default whoever the gateway knows
   */
  readonly auth?: AccessRule;
  /** Whether everyone may use it, unknown or not. @default false where the gateway knows its callers */
  readonly public?: boolean;
  /** How often it may be used, kept by the gateway. @default without limit of its own */
  readonly rateLimits?: readonly RateLimit[];
  /** Of a handler for all methods, those that are public, such as `['GET', 'PUT']`. @default all it has */
  readonly methods?: readonly string[];
  /** The hosts it answers for: `shop.example.com`, `*.example.com`. @default those of the controller, else all */
  readonly host?: string | readonly string[];
  /**
   * What a request must pass beside path, method and host, by the names of the gateway's predicates:
   * `[{ Header: { name: 'x-beta', value: '1' } }, { Version: { range: '2.x' } }]`. A handler's come behind those of its
   * controller. Regular expressions do not travel. @default nothing
   */
  readonly predicates?: readonly RoutePredicateData[];
  /** Plain data for filters and people, such as `{ owner: 'billing' }`; 32 keys at most. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
}

/** What `@GatewayRoute` leaves; `false` hides. */
export type GatewayRouteMark =
  false | { readonly path?: string; readonly options: GatewayRouteOptions };

/**
 * Makes a controller, or one handler, reachable through gateways. Nothing is without it.
 *
 * On a controller it makes all handlers reachable, and a path stands in place of the controller's own. On a handler it
 * adds to what the controller says, and a path is the whole public one; it must hold the handler's parameters.
 * `@GatewayRoute(false)` hides a handler. Query, body and headers pass as they are.
 *
 * @example
 * @GatewayRoute('/api/orders', { timeout: '2s' })
 * @Controller('orders')
 * class OrdersController {
 *   @Get(':id') find(@Param('id') id: string) { return { id }; }       // GET /api/orders/7
 *   @GatewayRoute('/api/stats') @Get('stats') stats() { return {}; }    // GET /api/stats
 *   @GatewayRoute({ predicates: [{ Header: { name: 'x-beta' } }] })
 *   @Get('next') next() { return []; }                                  // only with the header
 *   @GatewayRoute(false) @Delete(':id') remove() {}                     // not public
 * }
 */
export function GatewayRoute(hidden: false): ClassDecorator & MethodDecorator;
export function GatewayRoute(
  path?: string,
  options?: GatewayRouteOptions,
): ClassDecorator & MethodDecorator;
export function GatewayRoute(options: GatewayRouteOptions): ClassDecorator & MethodDecorator;
export function GatewayRoute(
  what?: false | string | GatewayRouteOptions,
  options: GatewayRouteOptions = {},
): ClassDecorator & MethodDecorator {
  return SetMetadata<string, GatewayRouteMark>(GATEWAY_ROUTE, mark(what, options));
}

function mark(
  what: false | string | GatewayRouteOptions | undefined,
  options: GatewayRouteOptions,
): GatewayRouteMark {
  if (what === false) return false;
  if (typeof what === 'object') return { options: what };
  return what === undefined ? { options } : { path: what, options };
}

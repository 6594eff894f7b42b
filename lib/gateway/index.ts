export {
  GatewayRoute,
  type GatewayRouteOptions,
} from '../discovery/manifest/gateway-route.decorator.js';
export { GatewayModule } from './gateway.module.js';
export type { GatewayDiscoveryOptions, GatewayLimits, GatewayOptions } from './gateway.options.js';
export { GatewayRoutes, type RouteView } from './gateway-routes.js';
export { RouteDefinitionError } from './gateway.errors.js';
export type { RoutesChange } from './gateway.events.js';
export type { RouteConflict } from './routes/route-claims.js';
export type { DiscoveredRoute, RouteDefinition } from './routes/route-definition.js';
export { type RouteSnapshot, RouteSource } from './routes/route-source.js';

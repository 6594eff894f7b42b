export {
  GatewayRoute,
  type GatewayRouteOptions,
} from '../discovery/manifest/gateway-route.decorator.js';
export type {
  RoutePredicateArgs,
  RoutePredicateData,
} from '../discovery/manifest/route-predicates.js';
export { GatewayModule } from './gateway.module.js';
export type {
  GatewayCacheOptions,
  GatewayDiscoveryOptions,
  GatewayExtension,
  GatewayLimits,
  GatewayOptions,
  GatewayTimeouts,
} from './gateway.options.js';
export { GatewayRoutes, type RouteView } from './gateway-routes.js';
export { RouteDefinitionError } from './gateway.errors.js';
export type { ProxiedRequest, RefusedRequest, RoutesChange } from './gateway.events.js';
export type { RouteConflict } from './routes/route-claims.js';
export type { DiscoveredRoute, RouteDefinition, RouteSubset } from './routes/route-definition.js';
export { type RouteSnapshot, RouteSource } from './routes/route-source.js';
export { Args } from './args.js';
export type { RouteTools } from './definition.js';
export { addRequestHeader } from './filters/add-request-header.filter.js';
export { addResponseHeader } from './filters/add-response-header.filter.js';
export {
  dedupeResponseHeader,
  type DedupeResponseHeaderArgs,
} from './filters/dedupe-response-header.filter.js';
export { fallback, type FallbackArgs } from './filters/fallback.filter.js';
export { preserveHost, setHost, type SetHostArgs } from './filters/host.filter.js';
export { injectFault, type InjectFaultArgs } from './filters/inject-fault.filter.js';
export { mirror, type MirrorArgs } from './filters/mirror.filter.js';
export {
  type ModifyBodyArgs,
  modifyRequestBody,
  modifyResponseBody,
} from './filters/modify-body.filter.js';
export { prefixPath, type PrefixPathArgs } from './filters/prefix-path.filter.js';
export {
  addRequestParameter,
  type ParameterNamesArgs,
  type ParameterRenamesArgs,
  type ParametersArgs,
  removeRequestParameter,
  renameRequestParameter,
  setRequestParameter,
} from './filters/query-parameter.filter.js';
export { redirectTo, type RedirectToArgs } from './filters/redirect-to.filter.js';
export {
  removeJsonFields,
  type RemoveJsonFieldsArgs,
} from './filters/remove-json-fields.filter.js';
export { removeRequestHeader } from './filters/remove-request-header.filter.js';
export { removeResponseHeader } from './filters/remove-response-header.filter.js';
export { renameRequestHeader } from './filters/rename-request-header.filter.js';
export { renameResponseHeader } from './filters/rename-response-header.filter.js';
export {
  requestHeaderSize,
  type RequestHeaderSizeArgs,
} from './filters/request-header-size.filter.js';
export { requestSize, type RequestSizeArgs } from './filters/request-size.filter.js';
export { responseCache, type ResponseCacheArgs } from './filters/response-cache.filter.js';
export { type ResponseCacheFigures, ResponseStore } from './response-cache/response-store.js';
export { retry, type RetryArgs } from './filters/retry.filter.js';
export { rewriteLocation, type RewriteLocationArgs } from './filters/rewrite-location.filter.js';
export { rewritePath, type RewritePathArgs } from './filters/rewrite-path.filter.js';
export { secureHeaders, type SecureHeadersArgs } from './filters/secure-headers.filter.js';
export { setPath, type SetPathArgs } from './filters/set-path.filter.js';
export { setRequestHeader } from './filters/set-request-header.filter.js';
export { setResponseHeader } from './filters/set-response-header.filter.js';
export { setStatus, type SetStatusArgs } from './filters/set-status.filter.js';
export { stripPrefix, type StripPrefixArgs } from './filters/strip-prefix.filter.js';
export { validateRequest, type ValidateRequestArgs } from './filters/validate-request.filter.js';
export { cookie, type CookieArgs } from './predicates/cookie.predicate.js';
export { header, type HeaderArgs } from './predicates/header.predicate.js';
export { query, type QueryArgs } from './predicates/query.predicate.js';
export { remoteAddress, type RemoteAddressArgs } from './predicates/remote-address.predicate.js';
export {
  after,
  before,
  between,
  type BetweenArgs,
  type MomentArgs,
} from './predicates/time.predicate.js';
export { version, type VersionArgs } from './predicates/version.predicate.js';
export { weight, type WeightArgs } from './predicates/weight.predicate.js';
export { RouteExecutionContext } from './filters/execution-context.js';
export type {
  Answer,
  BodyTransform,
  ExchangeFailure,
  ExchangeResponse,
  FailureEar,
  FinishedEar,
  Repetition,
  ResponseEar,
} from './filters/exchange-ears.js';
export { GatewayExchange } from './filters/gateway-exchange.js';
export {
  defineFilter,
  type FilterSpec,
  type FilterUse,
  type GatewayFilter,
  type NextFilter,
} from './filters/gateway-filter.js';
export type { RouteGuard } from './filters/guard.filter.js';
export type { HeaderNamesArgs, HeaderRenamesArgs, HeadersArgs } from './filters/header-args.js';
export { HeaderError, HeaderList } from './filters/header-list.js';
export { QueryList } from './filters/query-list.js';
export { type AskedRequest, PredicateRequest } from './predicates/predicate-request.js';
export {
  definePredicate,
  type PredicateSpec,
  type PredicateUse,
  type RoutePredicate,
} from './predicates/route-predicate.js';
export type { ValueArgs } from './predicates/value-test.js';
export type {
  ExplainedRequest,
  RouteExplanation,
  ShadowedRoute,
} from './routes/route-explanation.js';
export type { RouteShadow } from './routes/route-shadows.js';
export type { RouteTimeouts } from './routes/route-timeouts.js';
export { AccessPolicy, type AccessRequest } from './door/access-policy.js';
export type { AddressHook } from './door/address.step.js';
export type { CorsOptions } from './door/cors.options.js';
export { forwardAuth, type ForwardAuthOptions } from './door/forward-auth.authenticator.js';
export type { RouteAccess } from './door/route-access.js';
export type {
  AddressOptions,
  FailureOptions,
  GatewaySecurityOptions,
} from './door/security.options.js';

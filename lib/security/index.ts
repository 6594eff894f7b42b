export { AllowDirect } from '../common/allow-direct.decorator.js';
export type { AccessRule, ClaimValue } from './access-rule.js';
export { Authenticator } from './authenticator.js';
export {
  type ApiKey,
  apiKeys,
  type ApiKeysOptions,
  hashApiKey,
} from './authenticators/api-key.authenticator.js';
export {
  clientCertificate,
  type ClientCertificateOptions,
} from './authenticators/client-certificate.authenticator.js';
export {
  introspection,
  type IntrospectionOptions,
} from './authenticators/introspection.authenticator.js';
export { jwt } from './authenticators/jwt.authenticator.js';
export type { JwtOptions } from './authenticators/jwt.options.js';
export { ClientCredentials, type ClientCredentialsOptions } from './client-credentials.js';
export type { Credentials } from './credentials.js';
export { GatewayIdentityGuard } from './identity/gateway-identity.guard.js';
export type { IdentityIssuerOptions } from './identity/identity-issuer.js';
export type { IdentityVerifierOptions } from './identity/identity-verifier.js';
export { CurrentPrincipal } from './identity/principal.decorator.js';
export type { Principal } from './principal.js';
export {
  memoryRateLimits,
  type MemoryRateLimitsOptions,
} from './rate-limits/memory-rate-limits.js';
export type { RateLimit, RateLimitKey, RateLimitSettings } from './rate-limits/rate-limit.js';
export { type RateDecision, type RateLimiter, RateLimitStore } from './rate-limits/rate-limiter.js';
export { redisRateLimits, type RedisRateLimitsOptions } from './rate-limits/redis-rate-limits.js';
export {
  AuthenticationUnavailableError,
  InvalidCredentialsError,
  TokenRequestError,
  UnknownCallerError,
} from './security.errors.js';
export { SecurityModule } from './security.module.js';
export type { SecurityOptions } from './security.options.js';

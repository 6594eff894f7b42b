export { Backoff, type BackoffLimits } from './backoff.js';
export type { CipherOptions } from './cipher/cipher-options.js';
export { CipherError } from './cipher/cipher.errors.js';
export { Clock, SystemClock } from './clock.js';
export { CommonModule } from './common.module.js';
export { type Duration, formatDuration, milliseconds, parseDuration } from './duration.js';
export {
  InvalidOptionsError,
  messageOf,
  RookeryError,
  type RookeryErrorDetails,
} from './errors.js';
export { EventHub, type EventName, type RookeryEvents } from './event-hub.js';
export { Live, type LiveOptions, NotReadyError } from './live.js';
export {
  type ManagementAnswer,
  ManagementEndpoint,
  type ManagementRequest,
} from './management-endpoint.js';
export { type Measurement, MeasurementSource } from './measurements.js';
export { CORRELATION_HEADER, RequestContext, type RequestScope } from './request-context.js';
export { RequestListener, type RequestObserver, type RequestTaker } from './request-listener.js';
export { ServiceIdentity } from './service-identity.js';
export type { TraceContext } from './trace-context.js';

export type { UpstreamRequest } from './request/upstream-request.js';
export { type ResponseHeaders, UpstreamResponse } from './request/upstream-response.js';
export { type RequestSink, type ResponseSource, UpstreamCall } from './upstream-call.js';
export { UpstreamEndpoint } from './upstream-endpoint.js';
export {
  AnswerTooLargeError,
  CallCancelledError,
  CallHandlingError,
  CircuitOpenError,
  DeadlineExceededError,
  InvalidRequestError,
  NoEndpointError,
  UpstreamAnswerError,
  UpstreamBusyError,
  UpstreamConnectionError,
  UpstreamError,
  UpstreamOverloadedError,
  UpstreamProtocolError,
  UpstreamTimeoutError,
} from './upstream.errors.js';
export type { CallEnding, EndedCall, RetriedCall } from './upstream.events.js';
export type { TlsIdentity } from './transport.js';
export { UpstreamModule } from './upstream.module.js';
export type {
  ConcurrencyOptions,
  HedgeOptions,
  RetryOptions,
  UpstreamModuleOptions,
  UpstreamOptions,
  UpstreamTimeouts,
} from './upstream.options.js';
export { Upstream } from './upstream.js';
export { Upstreams } from './upstreams.js';

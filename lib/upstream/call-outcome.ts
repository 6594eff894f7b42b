import type { CallOutcome } from '../load-balancing/load-balancer.js';
import type { CallAttempt } from './call-attempt.js';
import {
  CallHandlingError,
  UpstreamBusyError,
  UpstreamConnectionError,
  type UpstreamError,
} from './upstream.errors.js';

/** Whether an answer says that the service failed; 4xx never do, because there the caller was wrong. */
export function isFailure(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}

/** Whether an error says nothing about the service. */
export function isNeutral(error: UpstreamError): boolean {
  return error instanceof UpstreamBusyError || error instanceof CallHandlingError;
}

/** How a try that failed ended for its endpoint. */
export function outcomeOf(attempt: CallAttempt, error: UpstreamError): CallOutcome {
  if (isNeutral(error)) return 'cancelled';
  if (!(error instanceof UpstreamConnectionError)) return 'failure';
  // The server closed a kept connection just when a request went out on it: a race that nobody lost.
  if (attempt.reused && !attempt.received) return 'cancelled';
  return error.sent ? 'failure' : 'unreachable';
}

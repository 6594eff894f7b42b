import type { CallOutcome } from '../load-balancing/load-balancer.js';
import type { Circuit } from '../resilience/circuit.js';
import type { CallAttempt } from './call-attempt.js';
import {
  CallHandlingError,
  UpstreamBusyError,
  UpstreamConnectionError,
  type UpstreamError,
} from './upstream.errors.js';
import type { CallEnding } from './upstream.events.js';

/** Whether an answer says that the service failed; 4xx never do, because there the caller was wrong. */
function isFailure(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}

/** How a call ended whose answer came; one that came too late because its caller had little time left is nobody's fault. */
export function completionOf({ status, call }: CallAttempt): CallOutcome & CallEnding {
  if (!isFailure(status)) return 'success';
  return status === 504 && call.outOfTime ? 'cancelled' : 'failure';
}

/** Tells the circuit of a call whose answer came. */
export function tellCircuit(circuit: Circuit, attempt: CallAttempt, now: number): void {
  const { generation, latency } = attempt;
  const ending = completionOf(attempt);
  if (ending === 'cancelled') circuit.cancelled(generation);
  else if (ending === 'failure') circuit.failed(generation, now, latency);
  else circuit.succeeded(generation, now, latency);
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

import { formatDuration } from '../common/duration.js';
import { RookeryError } from '../common/errors.js';

/** A call that a policy did not let through, or did not wait for. */
export class PolicyError extends RookeryError {
  constructor(
    message: string,
    details: { readonly code: string; readonly status: number },
    /** The policy's name. */
    readonly policy: string,
  ) {
    super(message, details);
  }
}

/** A call took too long; its signal has aborted. */
export class PolicyTimeoutError extends PolicyError {
  constructor(policy: string, ms: number, scope: 'total' | 'attempt') {
    super(
      `"${policy}" was not done within ${formatDuration(ms)}${scope === 'total' ? '' : ', in this attempt'}.`,
      { code: scope === 'total' ? 'ERR_POLICY_TOTAL_TIMEOUT' : 'ERR_POLICY_TIMEOUT', status: 504 },
      policy,
    );
  }
}

/** The circuit is open: too many calls failed or were slow. */
export class PolicyCircuitOpenError extends PolicyError {
  constructor(policy: string) {
    super(
      `The circuit of "${policy}" is open after too many failures.`,
      { code: 'ERR_CIRCUIT_OPEN', status: 503 },
      policy,
    );
  }
}

/** As many calls run as may, and as many wait as may. */
export class BulkheadFullError extends PolicyError {
  constructor(policy: string, running: number, waiting: number) {
    super(
      `"${policy}" is full: ${running} calls run and ${waiting} wait.`,
      { code: 'ERR_BULKHEAD_FULL', status: 503 },
      policy,
    );
  }
}

/** More calls than the rate limit allows. */
export class RateLimitedError extends PolicyError {
  constructor(
    policy: string,
    /** In how many ms the next call is allowed. */
    readonly retryAfter: number,
  ) {
    super(
      `"${policy}" is called more often than its rate limit allows; the next call may come in ${formatDuration(retryAfter)}.`,
      { code: 'ERR_RATE_LIMITED', status: 429 },
      policy,
    );
  }
}

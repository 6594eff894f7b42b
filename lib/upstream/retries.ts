import type { CallAttempt } from './call-attempt.js';
import type { UpstreamEndpoint } from './upstream-endpoint.js';
import { UpstreamConnectionError, type UpstreamError } from './upstream.errors.js';
import { RetryBudget } from '../resilience/retry-budget.js';

/** The most endpoints that one call is brought to. */
const MOST_ENDPOINTS = 3;

/** So many times the usual latency is long: what is slow by nature must not be taken for frozen. */
const LONG = 5;

/** When a call is tried again; times in ms. */
export interface RetrySettings {
  /** How many of 100 calls may be sent again. */
  readonly budget: number;
  /** How often a call of which something was sent is sent anew. */
  readonly attempts: number;
  /** The answers after which one that may be replayed goes to another endpoint. */
  readonly statuses: readonly number[];
  /** How long an endpoint may answer nobody, while its peers do, before one that may be replayed goes to another; 0 is for ever. */
  readonly silence: number;
}

/** Decides which calls are tried again, and keeps the budget for it. */
export class Retries {
  readonly budget: RetryBudget;
  /** In ms; 0 when nobody looks at it. */
  readonly silence: number;
  private readonly statuses: ReadonlySet<number>;

  constructor(private readonly settings: RetrySettings | false) {
    this.budget = new RetryBudget(settings ? settings.budget / 100 : 0);
    this.silence = settings ? settings.silence : 0;
    this.statuses = new Set(settings ? settings.statuses : []);
  }

  /** Whether a try that failed may be followed by another. */
  afterFailure(attempt: CallAttempt, error: UpstreamError): error is UpstreamConnectionError {
    if (!this.settings || attempt.answered || !(error instanceof UpstreamConnectionError))
      return false;
    if (attempt.retries + 1 >= MOST_ENDPOINTS) return false;
    // An instance that dies breaks all of its calls at once; none of them has to do with load, so none needs the budget.
    return !error.sent || this.mayReplay(attempt);
  }

  /** Whether an answer may be thrown away for that of another endpoint. */
  afterAnswer(attempt: CallAttempt, status: number, rawHeaders: readonly string[]): boolean {
    if (!this.statuses.has(status) || !this.mayReplay(attempt) || !this.budget.left) return false;
    if (attempt.retries + 1 >= MOST_ENDPOINTS) return false;
    if (status === 504 && attempt.call.outOfTime) return false;
    // Who says when to come back does not want anybody at once, here or next door (RFC 9110, 10.2.3).
    return !rawHeaders.some((name, at) => (at & 1) === 0 && name.toLowerCase() === 'retry-after');
  }

  /** Whether an endpoint has answered nobody since a call came, though its peers do, and for far longer than usual. */
  isSilent(attempt: CallAttempt, peers: readonly UpstreamEndpoint[], now: number): boolean {
    const { endpoint, startedAt } = attempt;
    if (endpoint === undefined || endpoint.answeredAt >= startedAt) return false;
    let usual = Number.POSITIVE_INFINITY;
    for (const peer of peers) {
      if (peer !== endpoint && peer.answeredAt > startedAt) usual = Math.min(usual, peer.latency);
    }
    return now - startedAt >= usual * LONG;
  }

  /** Whether a call may leave a silent endpoint. Its peers have time for it, so that needs none of the budget. */
  afterSilence(attempt: CallAttempt): boolean {
    return this.mayReplay(attempt) && attempt.retries + 1 < MOST_ENDPOINTS;
  }

  private mayReplay({ call, replays }: CallAttempt): boolean {
    return this.settings !== false && replays < this.settings.attempts && call.replayable;
  }
}

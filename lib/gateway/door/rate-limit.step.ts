import { messageOf } from '../../common/errors.js';
import type { RateLimitSettings } from '../../security/rate-limits/rate-limit.js';
import type { RateDecision, RateLimiter } from '../../security/rate-limits/rate-limiter.js';
import { DoorStep, type Verdict } from './door-step.js';
import { type RateLimitNote, rateLimitHeaders } from './rate-limit-note.js';
import type { Visit } from './visit.js';

/** What a limit is made of. */
export interface RateLimitParts {
  readonly limit: RateLimitSettings;
  readonly limiter: RateLimiter;
  /** What its counts are kept under, for each visit. */
  readonly keyOf: (visit: Visit) => string;
}

/** Spends a request's cost of one limit; says 429 and when to come again where it does not suffice. */
export class RateLimitStep extends DoorStep {
  override readonly name: string;

  constructor(private readonly parts: RateLimitParts) {
    super();
    this.name = `rate limit ${parts.limit.name}`;
  }

  override enter(visit: Visit): Verdict | Promise<Verdict> {
    const { limiter, limit, keyOf } = this.parts;
    const decision = limiter.take(keyOf(visit), limit.cost);
    if (!(decision instanceof Promise)) return this.decide(visit, decision);
    return decision.then(
      (settled) => this.decide(visit, settled),
      (error: unknown) => unavailable(error),
    );
  }

  override dress(visit: Visit, rawHeaders: string[]): void {
    if (visit.limits !== undefined) rawHeaders.push(...rateLimitHeaders(visit.limits));
    // Several limits have one word.
    visit.limits = undefined;
  }

  private decide(visit: Visit, decision: RateDecision): Verdict {
    const note = this.noteOf(decision);
    if (visit.limits === undefined || note.remaining < visit.limits.remaining || !decision.allowed)
      visit.limits = note;
    if (decision.allowed) return undefined;
    return {
      status: 429,
      headers: ['retry-after', String(Math.max(1, Math.ceil(decision.retryAfter / 1_000)))],
      reason: `the limit '${this.parts.limit.name}' is reached`,
    };
  }

  private noteOf({ remaining, resetAfter }: RateDecision): RateLimitNote {
    const { name, limit, per } = this.parts.limit;
    const [window, reset] = [Math.ceil(per / 1_000), Math.ceil(resetAfter / 1_000)];
    return { name, limit, window, remaining, reset };
  }
}

/** A store that fails wants no request uncounted; one that lets them pass does not reject. */
function unavailable(error: unknown): Verdict {
  return { status: 503, headers: ['retry-after', '1'], reason: messageOf(error) };
}

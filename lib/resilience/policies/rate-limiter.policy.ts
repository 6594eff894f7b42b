import type { Clock } from '../../common/clock.js';
import type { PolicyEvents } from '../policy-events.js';
import { RateLimitedError } from '../resilience.errors.js';
import { Policy, type Run } from './policy.js';

/** How many calls in what time, in ms. */
export interface RateLimitSettings {
  readonly calls: number;
  readonly per: number;
}

/** So many calls in any such time, by a token bucket that refills evenly; the rest is refused at once. */
export class RateLimiterPolicy extends Policy {
  private tokens: number;
  private filledAt: number;

  constructor(
    private readonly events: PolicyEvents,
    private readonly clock: Clock,
    private readonly settings: RateLimitSettings,
  ) {
    super();
    this.tokens = settings.calls;
    this.filledAt = clock.now();
  }

  override wrap(next: Run): Run {
    return (call) => {
      const { calls, per } = this.settings;
      const now = this.clock.now();
      this.tokens = Math.min(calls, this.tokens + ((now - this.filledAt) * calls) / per);
      this.filledAt = now;
      if (this.tokens < 1) return Promise.reject(this.refusal(((1 - this.tokens) * per) / calls));
      this.tokens--;
      return next(call);
    };
  }

  private refusal(wait: number): Error {
    const error = new RateLimitedError(this.events.policy, Math.ceil(wait));
    this.events.rejected(error);
    return error;
  }
}

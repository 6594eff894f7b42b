import type { PolicyEvents } from '../policy-events.js';
import { Policy, type Run } from './policy.js';

/** Returns something else when a call fails, whatever it failed of; a caller that gave up gets nothing. */
export class FallbackPolicy extends Policy {
  constructor(private readonly events: PolicyEvents) {
    super();
  }

  override wrap(next: Run): Run {
    return (call) => {
      const { fallback } = call;
      if (fallback === undefined) return next(call);
      return next(call).catch((error: unknown) => {
        if (call.signal?.aborted) throw error;
        this.events.fellBack(error);
        return fallback(error);
      });
    };
  }
}

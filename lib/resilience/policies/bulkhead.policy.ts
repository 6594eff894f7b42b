import type { Clock } from '../../common/clock.js';
import type { PolicyEvents } from '../policy-events.js';
import { BulkheadFullError } from '../resilience.errors.js';
import { Policy, type PolicyCall, type Run } from './policy.js';
import { abortReason } from './timeout.policy.js';

/** How many calls run at a time, and how many wait; the time in ms. */
export interface BulkheadSettings {
  readonly concurrency: number;
  readonly queue: number;
  readonly maxWait: number;
}

/** So many calls run at a time; so many wait in order, and the rest is refused at once. */
export class BulkheadPolicy extends Policy {
  private running = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly events: PolicyEvents,
    private readonly clock: Clock,
    private readonly settings: BulkheadSettings,
  ) {
    super();
  }

  override wrap(next: Run): Run {
    return (call) => {
      if (this.running < this.settings.concurrency) return this.run(next, call);
      if (this.waiting.size < this.settings.queue) return this.queue(next, call);
      return Promise.reject(this.refusal());
    };
  }

  private run(next: Run, call: PolicyCall): Promise<unknown> {
    this.running++;
    return next(call).finally(() => {
      this.running--;
      for (const begin of this.waiting) return begin();
    });
  }

  private queue(next: Run, call: PolicyCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const leave = (error: Error) => {
        settle();
        reject(error);
      };
      const follow = () => call.signal && leave(abortReason(call.signal));
      const stop = this.clock.after(this.settings.maxWait, () => leave(this.refusal()));
      const settle = () => {
        stop();
        call.signal?.removeEventListener('abort', follow);
        this.waiting.delete(begin);
      };
      const begin = () => {
        settle();
        this.run(next, call).then(resolve, reject);
      };
      this.waiting.add(begin);
      call.signal?.addEventListener('abort', follow, { once: true });
      if (call.signal?.aborted) follow();
    });
  }

  private refusal(): Error {
    const error = new BulkheadFullError(this.events.policy, this.running, this.waiting.size);
    this.events.rejected(error);
    return error;
  }
}

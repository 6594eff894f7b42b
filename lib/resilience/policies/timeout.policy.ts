import type { Clock } from '../../common/clock.js';
import type { PolicyEvents } from '../policy-events.js';
import { PolicyTimeoutError } from '../resilience.errors.js';
import { Policy, type PolicyCall, type Run } from './policy.js';

/** A call is waited for so long; then its signal aborts, and the caller is told, whether the function heeds the signal or not. */
export class TimeoutPolicy extends Policy {
  constructor(
    private readonly events: PolicyEvents,
    private readonly clock: Clock,
    /** In ms. */
    private readonly limit: number,
    private readonly scope: 'total' | 'attempt',
  ) {
    super();
  }

  override wrap(next: Run): Run {
    return (call) => {
      const now = this.clock.now();
      const limit = Math.min(this.limit, call.deadline - now);
      if (call.signal?.aborted) return Promise.reject(abortReason(call.signal));
      return this.limited(next, call, { now, limit });
    };
  }

  private limited(
    next: Run,
    call: PolicyCall,
    { now, limit }: { readonly now: number; readonly limit: number },
  ): Promise<unknown> {
    const { events, clock, scope } = this;
    return new Promise((resolve, reject) => {
      const controller = new AbortController();
      const follow = () => {
        controller.abort(call.signal?.reason);
        settle();
        reject(abortReason(controller.signal));
      };
      const stop = clock.after(Math.max(0, limit), () => {
        const error = new PolicyTimeoutError(events.policy, Math.max(0, Math.round(limit)), scope);
        settle();
        reject(error);
        controller.abort(error);
        events.timedOut(error);
      });
      const settle = () => {
        stop();
        call.signal?.removeEventListener('abort', follow);
      };
      call.signal?.addEventListener('abort', follow, { once: true });
      next({ ...call, signal: controller.signal, deadline: now + limit }).then(
        (value) => (settle(), resolve(value)),
        (error: unknown) => (settle(), reject(error as Error)),
      );
    });
  }
}

/** What an aborted call is rejected with. */
export function abortReason(signal: AbortSignal): Error {
  const { reason } = signal as { readonly reason: unknown };
  return reason instanceof Error ? reason : new DOMException('the call was given up', 'AbortError');
}

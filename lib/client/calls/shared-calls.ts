import type { Clock } from '../../common/clock.js';
import {
  CallCancelledError,
  DeadlineExceededError,
  UpstreamTimeoutError,
} from '../../upstream/upstream.errors.js';

/** How long one of several callers waits. */
export interface Patience {
  readonly service: string;
  readonly signal?: AbortSignal | undefined;
  /** In ms; left out, as long as the call takes. */
  readonly timeout?: number | undefined;
}

/**
 * Reads under way that others may join, so that identical ones are one call.
 *
 * Whoever joins keeps its own patience: it leaves when its own time is over, and when the call it joined was given up by
 * the one who made it, it makes its own. A read that was begun before something was written is not joined afterwards, so
 * that nobody reads what it has itself overwritten.
 */
export class SharedCalls<T> {
  private readonly underWay = new Map<string, Map<string, Promise<T>>>();

  constructor(private readonly clock: Clock) {}

  /** Joins the call of that key, or makes it. */
  async join(key: string, patience: Patience, make: () => Promise<T>): Promise<T> {
    for (;;) {
      const joined = this.underWay.get(patience.service)?.get(key);
      if (joined === undefined) return this.lead(patience.service, key, make());
      const done = new AbortController();
      const outcome = await Promise.race([
        joined.then(
          (value) => ({ value }),
          (error: unknown) => ({ error, given: isImpatience(error) }),
        ),
        this.impatience(patience, done.signal),
      ]);
      done.abort();
      if ('value' in outcome) return outcome.value;
      // Someone else's patience ended, and not ours: the next round finds another's call or makes one.
      if (!outcome.given) throw outcome.error;
    }
  }

  /** Something was written at a service: what was read of it before is not shared any more. */
  forget(service: string): void {
    this.underWay.delete(service);
  }

  private async lead(service: string, key: string, call: Promise<T>): Promise<T> {
    const calls = this.underWay.get(service) ?? new Map<string, Promise<T>>();
    this.underWay.set(service, calls.set(key, call));
    try {
      return await call;
    } finally {
      calls.delete(key);
    }
  }

  /** Gives the reason when a caller waits no longer. */
  private impatience(patience: Patience, done: AbortSignal): Promise<Ending> {
    const { service, signal, timeout } = patience;
    return new Promise((resolve) => {
      const end = (error: Error) => resolve({ error, given: false });
      const onAbort = () => end(new CallCancelledError(service));
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancel =
        timeout === undefined
          ? undefined
          : this.clock.after(timeout, () => end(new UpstreamTimeoutError(service, timeout)));
      done.addEventListener('abort', () => {
        cancel?.();
        signal?.removeEventListener('abort', onAbort);
      });
    });
  }
}

/** How waiting ended without an answer; `given` when it was the caller that was joined who gave the call up. */
interface Ending {
  readonly error: unknown;
  readonly given: boolean;
}

function isImpatience(error: unknown): boolean {
  return (
    error instanceof CallCancelledError ||
    error instanceof UpstreamTimeoutError ||
    error instanceof DeadlineExceededError
  );
}

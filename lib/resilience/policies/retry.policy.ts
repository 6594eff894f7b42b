import { HttpException } from '@nestjs/common';
import { Backoff } from '../../common/backoff.js';
import type { Clock } from '../../common/clock.js';
import type { PolicyEvents } from '../policy-events.js';
import { PolicyError } from '../resilience.errors.js';
import { RetryBudget } from '../retry-budget.js';
import { Policy, type PolicyCall, type Run } from './policy.js';
import { retryAfterOf } from './retry-after.js';
import { abortReason } from './timeout.policy.js';

/** When a call is made again; times in ms. */
export interface RetryPolicySettings {
  readonly attempts: number;
  readonly backoff: { readonly first: number; readonly most: number };
  readonly budget: number;
  readonly when: ((error: unknown) => boolean) | undefined;
}

/**
 * Makes a call again that failed, after a wait with full jitter, or as long as the error's `Retry-After` asks.
 *
 * Whatever comes first ends it: the attempts, the budget, or the total time, of which a wait must leave something.
 */
export class RetryPolicy extends Policy {
  private readonly budget: RetryBudget;

  constructor(
    private readonly events: PolicyEvents,
    private readonly clock: Clock,
    private readonly settings: RetryPolicySettings,
  ) {
    super();
    this.budget = new RetryBudget(settings.budget / 100);
  }

  override wrap(next: Run): Run {
    return (call) => {
      this.budget.deposit();
      return this.persist(next, call);
    };
  }

  private async persist(next: Run, call: PolicyCall): Promise<unknown> {
    let backoff: Backoff | undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(call);
      } catch (error) {
        if (call.signal?.aborted || attempt > this.settings.attempts) throw error;
        backoff ??= new Backoff(this.settings.backoff);
        await this.pause(error, { call, attempt, wait: backoff.next() });
      }
    }
  }

  /** Waits before the next attempt; throws the error when there is to be none. */
  private async pause(
    error: unknown,
    { call, attempt, ...own }: { readonly call: PolicyCall; attempt: number; wait: number },
  ): Promise<void> {
    if (!this.isWorth(error)) throw error;
    const wait = retryAfterOf(error, this.clock) ?? own.wait;
    // A wait that leaves no time is no use to anyone.
    if (this.clock.now() + wait >= call.deadline || !this.budget.take()) throw error;
    this.events.retried({ error, attempt, wait });
    await this.clock.sleep(wait, call.signal);
    if (call.signal?.aborted) throw abortReason(call.signal);
  }

  private isWorth(error: unknown): boolean {
    // What a policy itself refused would be refused again; only a time-out of one attempt may be luck.
    if (error instanceof PolicyError) return error.code === 'ERR_POLICY_TIMEOUT';
    return this.settings.when?.(error) ?? isTransient(error);
  }
}

/** A status of 4xx says that the caller was wrong, but for 408 and 429 (RFC 9110, 15.5.9; RFC 6585, 4). */
function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined) return !(error instanceof DOMException && error.name === 'AbortError');
  return status >= 500 || status === 408 || status === 429;
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { remoteStatus, status, statusCode } = error as Record<string, unknown>;
  if (typeof remoteStatus === 'number') return remoteStatus;
  if (error instanceof HttpException) return error.getStatus();
  const said = statusCode ?? status;
  return typeof said === 'number' ? said : undefined;
}

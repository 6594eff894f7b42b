import type { Clock } from '../../common/clock.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import type { RetryBudget } from '../../resilience/retry-budget.js';
import { CallCancelledError } from '../upstream.errors.js';
import type { PromisedRequest } from './request-upstream.js';
import type { UpstreamResponse } from './upstream-response.js';

type Make = (accepts?: (endpoint: Endpoint) => boolean) => PromisedRequest;

/** A read that is asked of a second instance when the first takes long; the better answer counts, the other call is given up. */
export class HedgedRequest {
  private readonly asked: PromisedRequest[] = [];
  private settled = false;
  private failure: unknown;
  private poor: UpstreamResponse | undefined;
  private stop: () => void = () => {};

  constructor(
    private readonly make: Make,
    private readonly budget: RetryBudget,
    private readonly clock: Clock,
  ) {}

  /** Asks, and asks again after so many ms without an answer. */
  ask(after: number): Promise<UpstreamResponse> {
    return new Promise((resolve, reject) => {
      const begin = (accepts?: (endpoint: Endpoint) => boolean) => {
        const asked = this.make(accepts);
        this.asked.push(asked);
        asked.answer.then(
          (answer) => this.onAnswer(asked, answer, resolve),
          (error: unknown) => this.onError(error, resolve, reject),
        );
      };
      begin();
      this.stop = this.clock.after(after, () => {
        const first = this.asked[0]?.call.endpoint;
        if (this.settled || first === undefined || !this.budget.take()) return;
        begin((endpoint) => endpoint !== first);
      });
    });
  }

  private onAnswer(
    from: PromisedRequest,
    answer: UpstreamResponse,
    resolve: (answer: UpstreamResponse) => void,
  ): void {
    if (this.settled) return answer.discard();
    // A failure may wait for what the other instance says.
    if (
      answer.status >= 500 &&
      this.poor === undefined &&
      this.failure === undefined &&
      this.asked.length > 1
    ) {
      this.poor = answer;
      return;
    }
    this.settle();
    this.poor?.discard();
    for (const other of this.asked) {
      if (other !== from) other.call.cancel(new CallCancelledError('the slower instance'));
    }
    resolve(answer);
  }

  private onError(
    error: unknown,
    resolve: (answer: UpstreamResponse) => void,
    reject: (error: unknown) => void,
  ): void {
    if (this.settled) return;
    if (this.poor !== undefined) {
      this.settle();
      return resolve(this.poor);
    }
    if (this.asked.length > 1 && this.failure === undefined) {
      this.failure = error;
      return;
    }
    this.settle();
    reject(error);
  }

  private settle(): void {
    this.settled = true;
    this.stop();
  }
}

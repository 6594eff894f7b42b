import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import type { EventHub } from '../common/event-hub.js';
import type { RequestContext } from '../common/request-context.js';
import type { CallOutcome, LoadBalancer } from '../load-balancing/load-balancer.js';
import type { CallKey } from '../load-balancing/load-balancing-strategy.js';
import type { Circuit } from '../resilience/circuit.js';
import type { AttemptOwner, CallTimeouts } from './attempt-owner.js';
import type { CallAttempt } from './call-attempt.js';
import { keyOf } from './call-key.js';
import { completionOf, isNeutral, outcomeOf, tellCircuit } from './call-outcome.js';
import type { ConcurrencyLimit } from './concurrency-limit.js';
import type { Deadlines } from './deadline-list.js';
import type { Retries } from './retries.js';
import type { WaitingCalls } from './transport.js';
import type { UpstreamCall } from './upstream-call.js';
import type { UpstreamEndpoint } from './upstream-endpoint.js';
import {
  NoEndpointError,
  UpstreamAnswerError,
  type UpstreamError,
  UpstreamTimeoutError,
} from './upstream.errors.js';
import type { CallEnding } from './upstream.events.js';

/** What an upstream is made of. */
export interface UpstreamParts {
  /** The service's name, or a fixed origin. */
  readonly name: string;
  readonly balancer: LoadBalancer<UpstreamEndpoint>;
  readonly circuit: Circuit | undefined;
  readonly timeouts: CallTimeouts;
  readonly retries: Retries;
  /** How many calls may wait for an answer; left out, it is without limit. */
  readonly limit?: ConcurrencyLimit | undefined;
  /** After how many ms a read is asked of a second instance; left out, never. */
  readonly hedgeAfter?: number | undefined;
  readonly waiting: WaitingCalls;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly events: EventHub;
  /** The request that calls are made for, whose deadline none of them outlives. */
  readonly context?: RequestContext | undefined;
}

/** One endpoint in place of another. */
interface Retry {
  readonly endpoint: UpstreamEndpoint;
  readonly other: UpstreamEndpoint;
  readonly error: UpstreamError;
  /** Whether something had been sent. */
  readonly sent: boolean;
}

/**
 * What becomes of the tries of an upstream's calls: where each goes, what is learned from it, and whether another follows.
 *
 * A call whose connection failed before any of it was sent goes on to other endpoints, each once, three in all. One of
 * which something was sent is sent anew once, and only if it may be: when its connection breaks; and, within the budget,
 * when the answer is 502, 503 or 504, or its endpoint answers nobody any more although others do.
 */
export class CallCourse implements AttemptOwner<CallAttempt> {
  private readonly logger = new Logger('Upstream');
  /** What of a request the strategy goes by. */
  private readonly key: CallKey | undefined;

  constructor(
    private readonly parts: UpstreamParts,
    /** Hears of every try that failed. */
    private readonly forget: (attempt: CallAttempt) => void,
  ) {
    this.key = parts.balancer.strategy.key;
  }

  get name(): string {
    return this.parts.name;
  }

  get timeouts(): CallTimeouts {
    return this.parts.timeouts;
  }

  get deadlines(): Deadlines {
    return this.parts.deadlines;
  }

  get patience(): number {
    return this.parts.retries.silence;
  }

  now(): number {
    return this.parts.clock.now();
  }

  onWaited(stage: 'queue' | 'connect', since: number): void {
    const { events, clock } = this.parts;
    if (!events.hears('call.waited')) return;
    events.emit('call.waited', { service: this.name, stage, duration: clock.now() - since });
  }

  onAnswered(attempt: CallAttempt, rawHeaders: string[]): void {
    const now = this.parts.clock.now();
    const { endpoint } = attempt;
    const latency = now - attempt.startedAt;
    attempt.latency = latency;
    if (this.uncount(attempt)) {
      // While our own process stood still, nobody could have answered it.
      const stoodStill = this.deadlines.stoodStill(now) - attempt.stoodStill;
      this.parts.limit?.answered(Math.max(0, latency - stoodStill), now);
    }
    if (endpoint === undefined) return;
    endpoint.answeredAt = now;
    if (this.key !== undefined) this.keep(attempt, this.key, rawHeaders);
  }

  onRejected(attempt: CallAttempt, status: number, rawHeaders: readonly string[]): boolean {
    if (!this.parts.retries.afterAnswer(attempt, status, rawHeaders)) return false;
    if (attempt.endpoint !== undefined) attempt.endpoint.answeredAt = this.parts.clock.now();
    const error = new UpstreamAnswerError(this.name, status);
    if (!this.moveOn(attempt, error, 'failure')) return false;
    this.parts.retries.budget.take();
    return true;
  }

  onSilence(attempt: CallAttempt): boolean {
    const { retries, balancer, clock } = this.parts;
    const now = clock.now();
    if (!retries.isSilent(attempt, balancer.peers, now)) return false;
    // It waits for one endpoint and not for the service, so it must not keep others from being called.
    this.uncount(attempt);
    if (!retries.afterSilence(attempt)) return false;
    attempt.latency = now - attempt.startedAt;
    const error = new UpstreamTimeoutError(this.name, Math.round(attempt.latency));
    // Twice without a word in between is as good as unreachable.
    const again = (attempt.endpoint?.consecutiveFailures ?? 0) > 0;
    return this.moveOn(attempt, error, again ? 'unreachable' : 'failure');
  }

  onUpgraded(attempt: CallAttempt, socket: Socket): void {
    const { endpoint } = attempt;
    const { balancer } = this.parts;
    this.onCompleted(attempt);
    if (endpoint === undefined) return;
    // How a tunnel ends says nothing of the endpoint's health, but until then it is work under way there.
    endpoint.active++;
    socket.once('close', () => balancer.complete(endpoint, 'cancelled', 0));
  }

  onCompleted(attempt: CallAttempt): void {
    const { circuit, events } = this.parts;
    const outcome = completionOf(attempt);
    if (events.hears('call.ended')) this.tell(attempt, outcome);
    this.report(attempt, outcome);
    if (circuit !== undefined) tellCircuit(circuit, attempt, this.deadlines.coarseNow);
  }

  onFailed(attempt: CallAttempt, error: UpstreamError): void {
    if (attempt.done) return;
    this.forget(attempt);
    const { endpoint } = attempt;
    // How long it was waited for in vain says how slow it is; that it broke soon does not make it fast.
    attempt.latency = error instanceof UpstreamTimeoutError ? this.elapsed(attempt) : 0;
    this.report(attempt, outcomeOf(attempt, error));
    if (endpoint !== undefined && this.parts.retries.afterFailure(attempt, error)) {
      const other = this.pick(attempt.call, [...attempt.tried, endpoint]) ?? this.again(attempt);
      if (other !== undefined) {
        return this.retry(attempt, { endpoint, other, error, sent: error.sent });
      }
    }
    attempt.endpoint = undefined;
    this.giveUp(attempt, error, endpoint);
  }

  /** Leaves an endpoint that can or will not answer, if there is another and it may cost something. */
  private moveOn(attempt: CallAttempt, error: UpstreamError, outcome: CallOutcome): boolean {
    const { endpoint } = attempt;
    if (endpoint === undefined) return false;
    const other = this.pick(attempt.call, [...attempt.tried, endpoint]);
    if (other === undefined) return false;
    attempt.release();
    this.report(attempt, outcome);
    this.retry(attempt, { endpoint, other, error, sent: true });
    return true;
  }

  private retry(attempt: CallAttempt, { endpoint, other, error, sent }: Retry): void {
    attempt.retries++;
    attempt.tried = [...attempt.tried, endpoint];
    if (sent) attempt.replays++;
    attempt.latency = 0;
    this.parts.events.emit('call.retried', { service: this.name, endpoint, error });
    this.start(attempt, this.parts.clock.now(), other);
  }

  /** It counts as waiting for an answer no longer; whether it did. */
  private uncount(attempt: CallAttempt): boolean {
    if (!attempt.counted) return false;
    attempt.counted = false;
    this.parts.limit?.leave();
    return true;
  }

  private elapsed({ startedAt }: CallAttempt): number {
    return this.parts.clock.now() - startedAt;
  }

  pick(call: UpstreamCall, tried?: readonly UpstreamEndpoint[]): UpstreamEndpoint | undefined {
    const { balancer } = this.parts;
    try {
      const value = this.key === undefined ? undefined : keyOf(call, this.key);
      if (call.accepts === undefined) return balancer.pick(undefined, tried, value);
      return balancer.pick((endpoint) => call.accepts?.(endpoint) === true, tried, value);
    } catch (error) {
      this.complain('was not given an endpoint', error);
      return undefined;
    }
  }

  /** Gives the client the cookie that leads it back, unless it came by it. */
  private keep({ call, endpoint }: CallAttempt, key: CallKey, rawHeaders: string[]): void {
    const cookie = endpoint && this.parts.balancer.strategy.cookieFor(endpoint);
    if (cookie === undefined) return;
    const value = keyOf(call, key);
    if (value !== undefined && cookie.includes(`=${value};`)) return;
    rawHeaders.push('set-cookie', cookie);
  }

  /** The same endpoint once more, if all that broke was a connection it had kept. */
  private again(attempt: CallAttempt): UpstreamEndpoint | undefined {
    return attempt.reused && attempt.retries === 0 ? this.pick(attempt.call) : undefined;
  }

  /** Brings a call to an endpoint, if there is one. */
  start(attempt: CallAttempt, now: number, endpoint: UpstreamEndpoint | undefined): void {
    if (endpoint !== undefined) {
      attempt.stoodStill = this.deadlines.stoodStill(now);
      return attempt.begin(endpoint, now);
    }
    const known = this.parts.balancer.endpoints.length;
    this.giveUp(attempt, new NoEndpointError(this.name, known));
  }

  /** Tells the endpoint how this try went. */
  report(attempt: CallAttempt, outcome: CallOutcome): void {
    const { endpoint } = attempt;
    attempt.endpoint = undefined;
    if (endpoint) this.parts.balancer.complete(endpoint, outcome, attempt.latency);
  }

  giveUp(attempt: CallAttempt, error: UpstreamError, endpoint?: UpstreamEndpoint): void {
    const { circuit } = this.parts;
    const neutral = isNeutral(error);
    if (neutral) circuit?.cancelled(attempt.generation);
    else circuit?.failed(attempt.generation, this.parts.clock.now(), attempt.latency);
    attempt.endpoint = endpoint;
    this.settle(attempt, error, neutral ? 'refused' : 'failure');
  }

  /** Turns a call away of which nothing is sent. */
  refuse(attempt: CallAttempt, error: UpstreamError): void {
    this.settle(attempt, error, 'refused');
  }

  settle(attempt: CallAttempt, error: UpstreamError, ending: CallEnding): void {
    this.uncount(attempt);
    if (this.parts.events.hears('call.ended')) this.tell(attempt, ending, error);
    attempt.endpoint = undefined;
    try {
      attempt.settle(error);
    } catch (thrown) {
      this.complain('threw when it heard of its failure', thrown);
    }
  }

  private tell(attempt: CallAttempt, outcome: CallEnding, error?: UpstreamError): void {
    const { endpoint, status, latency, retries, call } = attempt;
    const { method } = call;
    const { events } = this.parts;
    events.emit('call.ended', {
      service: this.name,
      endpoint,
      method,
      outcome,
      status,
      latency,
      retries,
      error,
    });
  }

  private complain(what: string, error: unknown): void {
    const details = error instanceof Error ? error.stack : error;
    this.logger.error(`A call to "${this.name}" ${what}`, details);
  }
}

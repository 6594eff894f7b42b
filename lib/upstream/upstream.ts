import type { PickExplanation } from '../load-balancing/explanation.js';
import type { Circuit } from '../resilience/circuit.js';
import type { CallTimeouts } from './attempt-owner.js';
import { CallAttempt } from './call-attempt.js';
import { CallCourse, type UpstreamParts } from './call-course.js';
import type { ConcurrencyLimit } from './concurrency-limit.js';
import type { Deadlines } from './deadline-list.js';
import { requestUpstream } from './request/request-upstream.js';
import type { UpstreamRequest } from './request/upstream-request.js';
import type { UpstreamResponse } from './request/upstream-response.js';
import type { UpstreamCall } from './upstream-call.js';
import type { UpstreamEndpoint } from './upstream-endpoint.js';
import {
  CallCancelledError,
  CircuitOpenError,
  UpstreamBusyError,
  UpstreamOverloadedError,
} from './upstream.errors.js';

/**
 * A service seen from its caller: chooses an endpoint for each call, guards it with a circuit, and learns from the outcome.
 *
 * Failures of the service are connections that fail or break, timeouts, answers against HTTP/1.1, and the statuses 500, 502,
 * 503 and 504, as in Envoy; 4xx never, because there the caller was wrong. A call without any endpoint fails for the
 * circuit only. Cancelled calls, calls turned away because all connections were busy, and the end of a kept connection
 * that met a new request say nothing about anyone's health.
 */
export class Upstream {
  /** Calls that came before the service's instances were known. */
  private parked: Set<CallAttempt> | undefined;
  private hadEndpoints = false;
  private readonly course: CallCourse;

  constructor(private readonly parts: UpstreamParts) {
    this.hadEndpoints = parts.balancer.endpoints.length > 0;
    if (parts.limit !== undefined) parts.limit.endpoints = parts.balancer.endpoints.length;
    this.course = new CallCourse(parts, (attempt) => this.parked?.delete(attempt));
  }

  /** The service's name, or a fixed origin. */
  get name(): string {
    return this.parts.name;
  }

  get timeouts(): CallTimeouts {
    return this.parts.timeouts;
  }

  get deadlines(): Deadlines {
    return this.parts.deadlines;
  }

  /** Its circuit, or `undefined` when it has none. */
  get circuit(): Circuit | undefined {
    return this.parts.circuit;
  }

  /** Every endpoint that is known, whatever its state. */
  get endpoints(): readonly UpstreamEndpoint[] {
    return this.parts.balancer.endpoints;
  }

  /** How many calls may wait for an answer now, and what they are measured by; `undefined` when there is no limit. */
  get limit(): ConcurrencyLimit | undefined {
    return this.parts.limit;
  }

  /** How an instance would be chosen now, and why some have no part in it. */
  explain(): PickExplanation {
    return this.parts.balancer.explain();
  }

  /** Makes a call; its callbacks may come before this returns. It never throws. */
  dispatch(call: UpstreamCall): void {
    const { course } = this;
    const { circuit, clock, balancer, limit, retries } = this.parts;
    const now = clock.now();
    const attempt = new CallAttempt(course, call, now);
    call.attempt = attempt;
    if (limit !== undefined) {
      if (!limit.enter())
        return course.refuse(attempt, new UpstreamOverloadedError(this.name, limit.waiting));
      attempt.counted = true;
    }
    if (circuit !== undefined) {
      if (!circuit.allow()) return course.refuse(attempt, new CircuitOpenError(this.name));
      attempt.generation = circuit.generation;
    }
    retries.budget.deposit();
    if (balancer.ready) course.start(attempt, now, course.pick(call));
    else this.park(attempt);
  }

  /**
   * Makes a call and waits for the head of its answer, whatever its status.
   *
   * Within a request that has a deadline, the call ends with it at the latest, and tells the service how much time is left.
   *
   * @throws UpstreamError when no whole head came, InvalidRequestError when the request could not be sent as it is
   * @example
   * const answer = await upstream.request({ path: '/stock/7', timeout: '2s' });
   * const stock = await answer.json<Stock>();
   */
  request(request: UpstreamRequest): Promise<UpstreamResponse> {
    return requestUpstream(this, this.parts, request);
  }

  /**
   * Gives a call up because its caller went away: its connection is closed or it leaves the queue, and it hurts nobody's
   * health. The call hears `onError` with a `CallCancelledError`; one that has ended hears nothing.
   */
  cancel(call: UpstreamCall): void {
    const { attempt } = call;
    if (!(attempt instanceof CallAttempt) || attempt.done) return;
    this.parked?.delete(attempt);
    const { endpoint } = attempt;
    attempt.release();
    this.course.report(attempt, 'cancelled');
    this.parts.circuit?.cancelled(attempt.generation);
    attempt.endpoint = endpoint;
    this.course.settle(attempt, new CallCancelledError(this.name), 'cancelled');
  }

  /** The service's instances are known, or others than before. */
  onInstances(): void {
    const { balancer, circuit, limit } = this.parts;
    if (limit !== undefined) limit.endpoints = balancer.endpoints.length;
    const has = balancer.candidates.length > 0;
    if (has && !this.hadEndpoints) circuit?.retry();
    this.hadEndpoints = has;
    const { parked } = this;
    this.parked = undefined;
    if (parked === undefined) return;
    const now = this.parts.clock.now();
    for (const attempt of parked) {
      this.deadlines.clear(attempt);
      this.course.start(attempt, now, this.course.pick(attempt.call));
    }
  }

  private park(attempt: CallAttempt): void {
    const { waiting } = this.parts;
    this.parked ??= new Set();
    if (this.parked.size >= waiting.most) {
      return this.course.giveUp(attempt, new UpstreamBusyError(this.name, this.parked.size));
    }
    this.parked.add(attempt);
    attempt.park();
  }
}

import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { milliseconds } from '../common/duration.js';
import type { EventHub } from '../common/event-hub.js';
import type { CallOutcome, LoadBalancer } from '../load-balancing/load-balancer.js';
import { type AttemptOwner, CallAttempt, type CallTimeouts } from './call-attempt.js';
import type { Circuit } from './circuit.js';
import type { Deadlines } from './deadline-list.js';
import { PromisedCall } from './request/promised-call.js';
import { type UpstreamRequest, writeRequest } from './request/upstream-request.js';
import type { UpstreamResponse } from './request/upstream-response.js';
import type { WaitingCalls } from './transport.js';
import type { UpstreamCall } from './upstream-call.js';
import type { UpstreamEndpoint } from './upstream-endpoint.js';
import {
  CallCancelledError,
  CallHandlingError,
  CircuitOpenError,
  NoEndpointError,
  UpstreamBusyError,
  UpstreamConnectionError,
  type UpstreamError,
} from './upstream.errors.js';

/** The most endpoints that one call is brought to. */
const MOST_ENDPOINTS = 3;

/** What an upstream is made of. */
export interface UpstreamParts {
  /** The service's name, or a fixed origin. */
  readonly name: string;
  readonly balancer: LoadBalancer<UpstreamEndpoint>;
  readonly circuit: Circuit | undefined;
  readonly timeouts: CallTimeouts;
  /** Whether a call that failed harmlessly is tried again. */
  readonly retry: boolean;
  readonly waiting: WaitingCalls;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly events: EventHub;
}

/**
 * A service seen from its caller: chooses an endpoint for each call, guards it with a circuit, and learns from the outcome.
 *
 * Failures of the service are connections that fail or break, timeouts, answers against HTTP/1.1, and the statuses 500, 502,
 * 503 and 504, as in Envoy; 4xx never, because there the caller was wrong. A call without any endpoint fails for the
 * circuit only. Cancelled calls, calls turned away because all connections were busy, and the end of a kept connection
 * that met a new request say nothing about anyone's health.
 *
 * A call whose connection failed before any of it was sent goes on to other endpoints, each once, three in all. One of
 * which something was sent is sent anew once, and only if it may be.
 */
export class Upstream implements AttemptOwner {
  private readonly logger = new Logger('Upstream');
  /** Calls that came before the service's instances were known. */
  private parked: Set<CallAttempt> | undefined;
  private hadEndpoints = false;

  constructor(private readonly parts: UpstreamParts) {
    this.hadEndpoints = parts.balancer.endpoints.length > 0;
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

  /** Makes a call; its callbacks may come before this returns. It never throws. */
  dispatch(call: UpstreamCall): void {
    const { circuit, clock, balancer } = this.parts;
    const now = clock.now();
    const attempt = new CallAttempt(this, call, now);
    call.attempt = attempt;
    if (circuit !== undefined) {
      if (!circuit.allow()) return this.settle(attempt, new CircuitOpenError(this.name));
      attempt.generation = circuit.generation;
    }
    if (balancer.ready) this.start(attempt, now, this.pick(call));
    else this.park(attempt);
  }

  /**
   * Makes a call and waits for the head of its answer, whatever its status.
   *
   * @throws UpstreamError when no whole head came, InvalidRequestError when the request could not be sent as it is
   * @example
   * const answer = await upstream.request({ path: '/stock/7', timeout: '2s' });
   * const stock = await answer.json<Stock>();
   */
  async request(request: UpstreamRequest): Promise<UpstreamResponse> {
    const text = writeRequest(request);
    const { signal, timeout } = request;
    if (signal?.aborted) throw new CallCancelledError(this.name);
    return new Promise((resolve, reject) => {
      const call = new PromisedCall({
        service: this.name,
        request: text,
        responseTimeout: this.timeouts.response,
        clock: this.parts.clock,
        cancel: (cancelled) => this.cancel(cancelled),
        resolve,
        reject,
      });
      call.limit(signal, timeout === undefined ? undefined : milliseconds(timeout));
      this.dispatch(call);
    });
  }

  /**
   * Gives a call up because its caller went away: its connection is closed or it leaves the queue, and it hurts nobody's
   * health. The call hears `onError` with a `CallCancelledError`; one that has ended hears nothing.
   */
  cancel(call: UpstreamCall): void {
    const { attempt } = call;
    if (!(attempt instanceof CallAttempt) || attempt.done) return;
    this.parked?.delete(attempt);
    attempt.release();
    this.report(attempt, 'cancelled');
    this.parts.circuit?.cancelled(attempt.generation);
    this.settle(attempt, new CallCancelledError(this.name));
  }

  /** The service's instances are known, or others than before. */
  onInstances(): void {
    const { balancer, circuit } = this.parts;
    const has = balancer.candidates.length > 0;
    if (has && !this.hadEndpoints) circuit?.retry();
    this.hadEndpoints = has;
    const { parked } = this;
    this.parked = undefined;
    if (parked === undefined) return;
    const now = this.parts.clock.now();
    for (const attempt of parked) {
      this.deadlines.clear(attempt);
      this.start(attempt, now, this.pick(attempt.call));
    }
  }

  now(): number {
    return this.parts.clock.now();
  }

  onWaited(stage: 'queue' | 'connect', since: number): void {
    const { events, clock } = this.parts;
    if (!events.hears('call.waited')) return;
    events.emit('call.waited', { service: this.name, stage, duration: clock.now() - since });
  }

  onAnswered(attempt: CallAttempt): void {
    attempt.latency = this.parts.clock.now() - attempt.startedAt;
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
    const failed = isFailure(attempt.status);
    this.report(attempt, failed ? 'failure' : 'success');
    const { circuit } = this.parts;
    if (circuit === undefined) return;
    if (failed) circuit.failed(attempt.generation, this.deadlines.coarseNow);
    else circuit.succeeded(attempt.generation, this.deadlines.coarseNow);
  }

  onFailed(attempt: CallAttempt, error: UpstreamError): void {
    if (attempt.done) return;
    this.parked?.delete(attempt);
    const { endpoint } = attempt;
    this.report(attempt, outcomeOf(attempt, error));
    if (endpoint !== undefined && this.mayRetry(attempt, error)) {
      const tried = [...attempt.tried, endpoint];
      const other = this.pick(attempt.call, tried) ?? this.again(attempt);
      if (other !== undefined) {
        attempt.retries++;
        attempt.tried = tried;
        attempt.replayed ||= error.sent;
        this.parts.events.emit('call.retried', { service: this.name, endpoint, error });
        return this.start(attempt, this.parts.clock.now(), other);
      }
    }
    this.giveUp(attempt, error);
  }

  private pick(
    call: UpstreamCall,
    tried?: readonly UpstreamEndpoint[],
  ): UpstreamEndpoint | undefined {
    const { balancer } = this.parts;
    try {
      if (call.accepts === undefined) return balancer.pick(undefined, tried);
      return balancer.pick((endpoint) => call.accepts?.(endpoint) === true, tried);
    } catch (error) {
      this.complain('was not given an endpoint', error);
      return undefined;
    }
  }

  /** The same endpoint once more, if all that broke was a connection it had kept. */
  private again(attempt: CallAttempt): UpstreamEndpoint | undefined {
    return attempt.reused && attempt.retries === 0 ? this.pick(attempt.call) : undefined;
  }

  private start(attempt: CallAttempt, now: number, endpoint: UpstreamEndpoint | undefined): void {
    if (endpoint !== undefined) return attempt.begin(endpoint, now);
    const known = this.parts.balancer.endpoints.length;
    this.giveUp(attempt, new NoEndpointError(this.name, known));
  }

  private park(attempt: CallAttempt): void {
    const { waiting } = this.parts;
    this.parked ??= new Set();
    if (this.parked.size >= waiting.most) {
      return this.giveUp(attempt, new UpstreamBusyError(this.name, this.parked.size));
    }
    this.parked.add(attempt);
    attempt.park();
  }

  private mayRetry(attempt: CallAttempt, error: UpstreamError): error is UpstreamConnectionError {
    if (!this.parts.retry || attempt.answered) return false;
    if (!(error instanceof UpstreamConnectionError)) return false;
    if (attempt.retries + 1 >= MOST_ENDPOINTS) return false;
    return !error.sent || (attempt.call.replayable && !attempt.replayed);
  }

  /** Tells the endpoint how this try went. */
  private report(attempt: CallAttempt, outcome: CallOutcome): void {
    const { endpoint } = attempt;
    attempt.endpoint = undefined;
    if (endpoint) this.parts.balancer.complete(endpoint, outcome, attempt.latency);
  }

  private giveUp(attempt: CallAttempt, error: UpstreamError): void {
    const { circuit } = this.parts;
    if (isNeutral(error)) circuit?.cancelled(attempt.generation);
    else circuit?.failed(attempt.generation, this.parts.clock.now());
    this.settle(attempt, error);
  }

  private settle(attempt: CallAttempt, error: UpstreamError): void {
    try {
      attempt.settle(error);
    } catch (thrown) {
      this.complain('threw when it heard of its failure', thrown);
    }
  }

  private complain(what: string, error: unknown): void {
    const details = error instanceof Error ? error.stack : error;
    this.logger.error(`A call to "${this.name}" ${what}`, details);
  }
}

function isFailure(status: number): boolean {
  return status === 500 || (status >= 502 && status <= 504);
}

/** Whether an error says nothing about the service. */
function isNeutral(error: UpstreamError): boolean {
  return error instanceof UpstreamBusyError || error instanceof CallHandlingError;
}

function outcomeOf(attempt: CallAttempt, error: UpstreamError): CallOutcome {
  if (isNeutral(error)) return 'cancelled';
  if (!(error instanceof UpstreamConnectionError)) return 'failure';
  // The server closed a kept connection just when a request went out on it: a race that nobody lost.
  if (attempt.reused && !attempt.received) return 'cancelled';
  return error.sent ? 'failure' : 'unreachable';
}

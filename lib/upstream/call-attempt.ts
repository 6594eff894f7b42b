import type { Socket } from 'node:net';
import type { AttemptOwner } from './attempt-owner.js';
import { Attempt, type Carrier } from './transport.js';
import type { RequestSink, ResponseSource, UpstreamCall } from './upstream-call.js';
import type { UpstreamEndpoint } from './upstream-endpoint.js';
import {
  NoEndpointError,
  UpstreamConnectionError,
  type UpstreamError,
  UpstreamTimeoutError,
} from './upstream.errors.js';

type Phase = 'waiting' | 'connecting' | 'sending' | 'answering' | 'receiving' | 'done';

/** A call on its way: the endpoint it was given, the connection it has, and the one deadline that runs for it. */
export class CallAttempt extends Attempt implements RequestSink, ResponseSource {
  endpoint: UpstreamEndpoint | undefined = undefined;
  /** How many tries failed before this one. */
  retries = 0;
  /** The endpoints of the tries that failed. */
  tried: readonly UpstreamEndpoint[] = [];
  /** How often a request of which something had been sent was sent anew. */
  replays = 0;
  /** Whether it counts as waiting for an answer; kept by the owner. */
  counted = false;
  /** The generation of the circuit that let it through. */
  generation = 0;
  status = 0;
  /** How long the answer's head took, in ms; set by the owner. */
  latency = 0;
  /** For how long the process had stood still when it began, in ms; kept by the owner. */
  stoodStill = 0;
  /** Whether this try travels on a connection that had served before. */
  reused = false;
  /** Whether any byte of an answer came on this try. */
  received = false;
  private carrier: Carrier | undefined = undefined;
  /** Since when it waits for a connection, or for one to be made; 0 when it does not. */
  private waitsSince = 0;
  private phase: Phase = 'waiting';
  /** How long it waited for the head already, in ms; -1 when the deadline that runs is the last one. */
  private waited = -1;

  constructor(
    private readonly owner: AttemptOwner<CallAttempt>,
    readonly call: UpstreamCall,
    public startedAt: number,
  ) {
    super();
  }

  override get method(): string {
    return this.call.method;
  }

  override get hasBody(): boolean {
    return this.call.hasBody;
  }

  override get upgrades(): boolean {
    return this.call.upgrades;
  }

  override get wantsFresh(): boolean {
    return this.retries > 0;
  }

  override get pauses(): boolean {
    return true;
  }

  /** Whether the call has seen its end. */
  get done(): boolean {
    return this.phase === 'done';
  }

  /** Whether the call has seen the answer's head, so that nothing can be done again. */
  get answered(): boolean {
    return this.status !== 0;
  }

  /** Goes to an endpoint. */
  begin(endpoint: UpstreamEndpoint, now: number): void {
    this.endpoint = endpoint;
    this.startedAt = now;
    this.reused = false;
    this.received = false;
    this.waitsSince = 0;
    endpoint.channel.send(this);
  }

  /** Waits for the service's instances to become known. */
  park(): void {
    this.wait('waiting', this.owner.timeouts.connect);
  }

  /** Ends every wait and lets go of the connection, which dies of it. */
  release(): void {
    this.owner.deadlines.clear(this);
    const { carrier } = this;
    this.carrier = undefined;
    if (carrier !== undefined) carrier.abort();
    else this.endpoint?.channel.withdraw(this);
  }

  /** The call hears of its failure, once. */
  settle(error: UpstreamError): void {
    if (this.phase === 'done') return;
    this.phase = 'done';
    this.call.onError(error);
  }

  override head(): string {
    return this.call.head(this.endpoint as UpstreamEndpoint);
  }

  override onQueued(): void {
    this.waitsSince = this.owner.now();
    this.wait('waiting', this.call.responseTimeout);
  }

  override onConnecting(carrier: Carrier): void {
    this.carrier = carrier;
    this.endWait();
    this.waitsSince = this.owner.now();
    this.wait('connecting', this.owner.timeouts.connect);
  }

  override onSent(carrier: Carrier, reused: boolean): void {
    this.carrier = carrier;
    this.reused = reused;
    this.endWait();
    if (!this.call.hasBody) return this.awaitAnswer();
    this.owner.deadlines.clear(this);
    this.phase = 'sending';
    this.call.onConnected(this);
  }

  override onDrain(): void {
    if (this.phase === 'sending') this.owner.deadlines.clear(this);
    this.call.onDrain();
  }

  override onInformation(status: number, rawHeaders: string[]): void {
    this.call.onInformation(status, rawHeaders);
  }

  override onHead(status: number, rawHeaders: string[]): void {
    if (status >= 500 && this.owner.onRejected(this, status, rawHeaders)) return;
    this.status = status;
    this.wait('receiving', this.idle);
    this.owner.onAnswered(this, rawHeaders);
    this.call.onHead(status, rawHeaders, this);
  }

  override onUpgrade(rawHeaders: string[], socket: Socket, early: Buffer): void {
    this.owner.deadlines.clear(this);
    this.carrier = undefined;
    this.status = 101;
    this.phase = 'done';
    this.owner.onAnswered(this, rawHeaders);
    this.owner.onUpgraded(this, socket);
    this.call.onUpgrade(rawHeaders, socket, early);
  }

  override onBody(chunk: Buffer): boolean {
    if (this.call.onBody(chunk)) {
      if (this.phase === 'receiving') this.wait('receiving', this.idle);
      return true;
    }
    // Whoever does not take the body must not make the service look slow.
    this.owner.deadlines.clear(this);
    return false;
  }

  override onEnd(trailers: string[] | undefined): void {
    this.owner.deadlines.clear(this);
    this.carrier = undefined;
    this.phase = 'done';
    this.owner.onCompleted(this);
    this.call.onEnd(trailers);
  }

  override onFailure(error: UpstreamError, received: boolean): void {
    this.owner.deadlines.clear(this);
    this.carrier = undefined;
    this.received = received;
    this.owner.onFailed(this, error);
  }

  override expire(): void {
    if (this.waited >= 0 && this.phase === 'answering' && this.waitOn()) return;
    const error = this.overdue();
    this.release();
    this.owner.onFailed(this, error);
  }

  // RequestSink: the connection may serve another call by now, so nothing may reach it but through here.
  write(chunk: Buffer | string): boolean {
    if (this.carrier === undefined || this.carrier.write(chunk)) return true;
    // The service does not read: that is no reason to wait for ever.
    if (this.phase === 'sending') this.wait('sending', this.idle);
    return false;
  }

  end(): void {
    this.carrier?.end();
    if (this.phase === 'sending') this.awaitAnswer();
  }

  // ResponseSource
  resume(): void {
    if (this.phase === 'receiving') this.wait('receiving', this.idle);
    this.carrier?.resume();
  }

  private endWait(): void {
    const { waitsSince } = this;
    if (waitsSince === 0) return;
    this.waitsSince = 0;
    this.owner.onWaited(this.phase === 'connecting' ? 'connect' : 'queue', waitsSince);
  }

  private get idle(): number {
    return this.call.idleTimeout ?? this.owner.timeouts.idle;
  }

  /** Waits for the answer's head, in steps after each of which the endpoint's silence is looked at. */
  private awaitAnswer(): void {
    this.waited = this.owner.patience > 0 ? 0 : -1;
    this.wait('answering', this.waited < 0 ? this.call.responseTimeout : this.step());
  }

  /** The first step leaves half of the whole for another endpoint. */
  private step(): number {
    const { responseTimeout } = this.call;
    const { patience } = this.owner;
    if (responseTimeout === 0) return patience;
    return Math.min(
      patience,
      this.waited === 0 ? responseTimeout / 2 : responseTimeout - this.waited,
    );
  }

  /** Goes on waiting, unless its owner takes it elsewhere; false when its time is over. */
  private waitOn(): boolean {
    this.waited += this.step();
    if (this.owner.onSilence(this)) return true;
    const { responseTimeout } = this.call;
    if (responseTimeout > 0 && this.waited >= responseTimeout) return false;
    this.wait('answering', this.step());
    return true;
  }

  private wait(phase: Phase, ms: number): void {
    this.phase = phase;
    const { deadlines } = this.owner;
    deadlines.set(this, ms, deadlines.coarseNow);
  }

  private overdue(): UpstreamError {
    const { name, timeouts } = this.owner;
    if (this.phase === 'connecting') {
      const reason = `no connection within ${timeouts.connect} ms`;
      return new UpstreamConnectionError(name, reason, false);
    }
    if (this.endpoint === undefined) return new NoEndpointError(name, 0);
    const inBody = this.phase === 'receiving' || this.phase === 'sending';
    return new UpstreamTimeoutError(name, inBody ? this.idle : this.call.responseTimeout);
  }
}

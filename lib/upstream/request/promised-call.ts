import { Readable } from 'node:stream';
import type { Clock } from '../../common/clock.js';
import { DEADLINE_HEADER, grantedOf } from '../../common/request-context.js';
import type { Endpoint } from '../../load-balancing/endpoint.js';
import { type RequestSink, type ResponseSource, UpstreamCall } from '../upstream-call.js';
import {
  CallCancelledError,
  type UpstreamError,
  UpstreamTimeoutError,
} from '../upstream.errors.js';
import { BodyWriter } from './body-writer.js';
import type { RequestText } from './upstream-request.js';
import { UpstreamResponse } from './upstream-response.js';

/** What a promised call needs to know. */
export interface PromisedCallOptions {
  readonly service: string;
  readonly request: RequestText;
  readonly responseTimeout: number;
  readonly clock: Clock;
  /** When it must be over, in ms of the clock; left out, it has no end of its own. */
  readonly deadline?: number | undefined;
  /** Aborts when the request that it is made for is given up. */
  readonly abandoned?: AbortSignal | undefined;
  /** The instances that it may go to; left out, all. */
  readonly accepts?: ((endpoint: Endpoint) => boolean) | undefined;
  /** Gives the call up at its upstream. */
  readonly cancel: (call: PromisedCall) => void;
  readonly resolve: (response: UpstreamResponse) => void;
  readonly reject: (error: Error) => void;
}

/** With less than this part of its time left, a service that gave up has done so for the lack of it. */
const LAST_PART = 1 / 4;

/** A call that someone awaits: the promise is kept with the answer's head, the body is a stream. */
export class PromisedCall extends UpstreamCall {
  override readonly method: string;
  override readonly hasBody: boolean;
  override readonly responseTimeout: number;
  /** The path, and the header lines but for `host`; a strategy may go by them. */
  readonly target: string;
  readonly lines: string;
  private readonly writer: BodyWriter | undefined;
  private body: Readable | undefined;
  private reason: Error | undefined;
  private stopWatching: (() => void) | undefined;
  /** When it was made, in ms of the clock, if it has a deadline. */
  private readonly begun: number;
  /** The endpoint it was sent to last. */
  endpoint: Endpoint | undefined;

  constructor(private readonly options: PromisedCallOptions) {
    super();
    const { request } = options;
    this.method = request.method;
    this.hasBody = request.body !== undefined;
    this.responseTimeout = options.responseTimeout;
    this.target = request.path;
    this.lines = request.fields;
    this.begun = options.deadline === undefined ? 0 : options.clock.now();
    if (options.accepts !== undefined) this.accepts = options.accepts;
    if (request.body !== undefined) {
      this.writer = new BodyWriter(request.body, (error) => this.cancel(error));
    }
  }

  override get replayable(): boolean {
    if (!this.options.request.idempotent || this.writer?.once === true) return false;
    return this.timeLeft >= 1;
  }

  /** Every service on the way keeps a little of the time back, so a 504 comes before it is over. */
  override get outOfTime(): boolean {
    const { deadline } = this.options;
    return deadline !== undefined && this.timeLeft < (deadline - this.begun) * LAST_PART;
  }

  /** Gives the call up when the signal aborts, when its deadline has come, or with the request it is made for. */
  watch(signal: AbortSignal | undefined): void {
    const { service, clock, deadline, abandoned } = this.options;
    const ms = deadline === undefined ? undefined : Math.max(0, deadline - clock.now());
    const follow = () => this.cancel(new CallCancelledError(service));
    const expire = () => this.cancel(new UpstreamTimeoutError(service, Math.round(ms ?? 0)));
    // Of two timers for the same moment either may come first.
    const leave = () => (isTimeout(abandoned?.reason) ? expire() : follow());
    signal?.addEventListener('abort', follow, { once: true });
    abandoned?.addEventListener('abort', leave, { once: true });
    const stop = ms === undefined ? undefined : clock.after(ms, expire);
    this.stopWatching = () => {
      signal?.removeEventListener('abort', follow);
      abandoned?.removeEventListener('abort', leave);
      stop?.();
    };
  }

  /** Gives the call up for a reason, which is what its caller hears. */
  cancel(reason: Error): void {
    this.reason ??= reason;
    this.options.cancel(this);
  }

  override head(endpoint: Endpoint): string {
    this.endpoint = endpoint;
    const { requestLine, fields } = this.options.request;
    return `${requestLine}host: ${endpoint.authority}\r\n${fields}${this.deadlineLine()}\r\n`;
  }

  override onConnected(sink: RequestSink): void {
    this.writer?.begin(sink);
  }

  override onDrain(): void {
    this.writer?.proceed();
  }

  override onHead(status: number, rawHeaders: string[], source: ResponseSource): void {
    this.body = new Readable({
      read: () => source.resume(),
      destroy: (error, callback) => {
        this.options.cancel(this);
        callback(error);
      },
    });
    // A body that breaks while nobody reads it must not end the process.
    this.body.on('error', () => {});
    this.options.resolve(new UpstreamResponse(status, rawHeaders, this.body, this.options.service));
  }

  override onBody(chunk: Buffer): boolean {
    return this.body === undefined || this.body.push(chunk);
  }

  override onEnd(): void {
    this.settle();
    this.body?.push(null);
  }

  override onError(error: UpstreamError): void {
    this.settle();
    const told = this.reason ?? error;
    if (this.body === undefined) this.options.reject(told);
    else this.body.destroy(told);
  }

  /** How long it is waited for yet, in ms; without a deadline, for ever. */
  private get timeLeft(): number {
    const { deadline, clock } = this.options;
    return deadline === undefined ? Number.POSITIVE_INFINITY : deadline - clock.now();
  }

  /** The header that tells the service how long it is waited for. */
  private deadlineLine(): string {
    if (this.options.deadline === undefined) return '';
    return `${DEADLINE_HEADER}: ${grantedOf(this.timeLeft)}\r\n`;
  }

  private settle(): void {
    this.writer?.stop();
    this.stopWatching?.();
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

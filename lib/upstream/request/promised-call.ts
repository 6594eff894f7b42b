import { Readable } from 'node:stream';
import type { Clock } from '../../common/clock.js';
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

/** Methods that change nothing, so that sending one twice is harmless (RFC 9110, 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What a promised call needs to know. */
export interface PromisedCallOptions {
  readonly service: string;
  readonly request: RequestText;
  readonly responseTimeout: number;
  readonly clock: Clock;
  /** Gives the call up at its upstream. */
  readonly cancel: (call: PromisedCall) => void;
  readonly resolve: (response: UpstreamResponse) => void;
  readonly reject: (error: Error) => void;
}

/** A call that someone awaits: the promise is kept with the answer's head, the body is a stream. */
export class PromisedCall extends UpstreamCall {
  override readonly method: string;
  override readonly hasBody: boolean;
  override readonly responseTimeout: number;
  private readonly writer: BodyWriter | undefined;
  private body: Readable | undefined;
  private reason: Error | undefined;
  private stopWatching: (() => void) | undefined;

  constructor(private readonly options: PromisedCallOptions) {
    super();
    const { request } = options;
    this.method = request.method;
    this.hasBody = request.body !== undefined;
    this.responseTimeout = options.responseTimeout;
    if (request.body !== undefined) {
      this.writer = new BodyWriter(request.body, (error) => this.cancel(error));
    }
  }

  override get replayable(): boolean {
    return SAFE.has(this.method) && this.writer?.once !== true;
  }

  /** Gives the call up when the signal aborts, or when so many ms are over. */
  limit(signal: AbortSignal | undefined, ms: number | undefined): void {
    const { service, clock } = this.options;
    const follow = () => this.cancel(new CallCancelledError(service));
    signal?.addEventListener('abort', follow, { once: true });
    const stop =
      ms === undefined
        ? undefined
        : clock.after(ms, () => this.cancel(new UpstreamTimeoutError(service, ms)));
    this.stopWatching = () => {
      signal?.removeEventListener('abort', follow);
      stop?.();
    };
  }

  /** Gives the call up for a reason, which is what its caller hears. */
  cancel(reason: Error): void {
    this.reason ??= reason;
    this.options.cancel(this);
  }

  override head(endpoint: Endpoint): string {
    const { requestLine, fields } = this.options.request;
    return `${requestLine}host: ${endpoint.authority}\r\n${fields}\r\n`;
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

  private settle(): void {
    this.writer?.stop();
    this.stopWatching?.();
  }
}

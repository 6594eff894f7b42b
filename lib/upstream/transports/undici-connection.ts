import type { Client, Dispatcher } from 'undici';
import type { Attempt, Carrier } from '../transport.js';
import {
  CallHandlingError,
  connectionErrorOf,
  UpstreamConnectionError,
  type UpstreamError,
  UpstreamProtocolError,
} from '../upstream.errors.js';
import { readTrailers, ResponseHead } from './http1/response-head.js';
import { readHead, UndiciBody } from './undici-request.js';

/** Where a connection belongs. */
export interface UndiciConnectionOwner {
  readonly service: string;
  onIdle(connection: UndiciConnection): void;
  onClosed(connection: UndiciConnection): void;
  onStrayError(error: unknown): void;
}

type Controller = Dispatcher.DispatchController;

/** One of undici's clients, which has one connection, with one attempt at a time. */
export class UndiciConnection implements Carrier, Dispatcher.DispatchHandler {
  private readonly head = new ResponseHead();
  private attempt: Attempt | undefined;
  private controller: Controller | undefined;
  private body: UndiciBody | undefined;
  private isConnected = false;
  private isClosed = false;
  private isFresh = true;
  private wasSent = false;
  private hasReceived = false;

  constructor(
    private readonly owner: UndiciConnectionOwner,
    private readonly client: Client,
  ) {
    client.on('connect', () => {
      this.isConnected = true;
      this.isFresh = true;
    });
    client.on('disconnect', () => {
      this.isConnected = false;
      if (this.attempt === undefined) this.close();
    });
  }

  /** Carries an attempt, now or as soon as it is connected. */
  send(attempt: Attempt): void {
    this.attempt = attempt;
    this.controller = undefined;
    this.wasSent = false;
    this.hasReceived = false;
    if (!this.isConnected) attempt.onConnecting(this);
    try {
      const { isChunked, ...head } = readHead(attempt.head());
      this.body = attempt.hasBody
        ? new UndiciBody(isChunked, () => this.guard(() => this.attempt?.onDrain()))
        : undefined;
      this.client.dispatch({ ...head, body: this.body ?? null }, this);
    } catch (error) {
      this.fail(new CallHandlingError(this.owner.service, error));
    }
  }

  write(chunk: Buffer | string): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
    return this.body?.accept(bytes) ?? true;
  }

  end(): void {
    this.body?.complete();
  }

  resume(): void {
    this.controller?.resume();
  }

  abort(): void {
    this.attempt = undefined;
    this.close();
  }

  /** Closes it; an attempt under way fails. */
  destroy(): void {
    const reason = 'it was closed by this side';
    this.fail(new UpstreamConnectionError(this.owner.service, reason, this.wasSent));
  }

  onRequestStart(controller: Controller): void {
    const { attempt } = this;
    if (attempt === undefined) return controller.abort(new Error('Nobody waits for it any more.'));
    this.controller = controller;
    this.wasSent = true;
    this.guard(() => attempt.onSent(this, !this.isFresh));
  }

  onResponseStarted(): void {
    this.hasReceived = true;
  }

  onResponseStart(controller: Controller, status: number): void {
    const lines = textsOf(controller.rawHeaders).map((text, at) =>
      at % 2 === 0 ? `\r\n${text}: ` : text,
    );
    // What our own transport asks of a head is asked of every head.
    const problem = this.head.read(`HTTP/1.1 ${status} ${lines.join('')}`);
    if (problem !== undefined)
      return this.fail(new UpstreamProtocolError(this.owner.service, problem));
    const { rawHeaders } = this.head;
    this.guard(() => {
      if (status < 200) this.attempt?.onInformation(status, rawHeaders);
      else this.attempt?.onHead(status, rawHeaders);
    });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.guard(() => {
      if (this.attempt?.onBody(chunk) === false) controller.pause();
    });
  }

  onResponseEnd(controller: Controller): void {
    const { attempt } = this;
    if (attempt === undefined) return;
    const lines = textsOf(controller.rawTrailers).map((text, at) =>
      at % 2 === 0 ? `${text}: ` : `${text}\r\n`,
    );
    const trailers = readTrailers(lines.join(''));
    this.attempt = undefined;
    this.isFresh = false;
    const isHalf = this.body !== undefined && !this.body.readableEnded;
    this.body = undefined;
    // An answer that came before the end of its request leaves the rest of that request in the way of the next.
    if (isHalf) this.close();
    else this.owner.onIdle(this);
    try {
      attempt.onEnd(trailers?.length ? trailers : undefined);
    } catch (error) {
      this.owner.onStrayError(error);
    }
  }

  onResponseError(_controller: Controller | undefined, error: Error): void {
    this.fail(errorOf(this.owner.service, error, this.wasSent));
  }

  /** What the caller's own code throws must not look like the service's fault. */
  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(new CallHandlingError(this.owner.service, error));
    }
  }

  private fail(error: UpstreamError): void {
    const { attempt } = this;
    this.attempt = undefined;
    this.close();
    attempt?.onFailure(error, this.hasReceived);
  }

  private close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.body?.destroy();
    this.body = undefined;
    this.client.destroy().catch(() => {});
    this.owner.onClosed(this);
  }
}

function textsOf(raw: Controller['rawHeaders']): readonly string[] {
  return Array.isArray(raw) ? raw.map((each) => each.toString('latin1' as never)) : [];
}

const PROTOCOL =
  /^(?:HPE_|UND_ERR_(?:HEADERS_OVERFLOW|RES_CONTENT_LENGTH_MISMATCH|RES_EXCEEDED_MAX_SIZE))/;

function errorOf(service: string, error: Error & { code?: string }, sent: boolean): UpstreamError {
  const { code = '', message } = error;
  if (PROTOCOL.test(code) || /^bad (?:response|upgrade)$/.test(message))
    return new UpstreamProtocolError(service, `undici says ${code || message}`);
  if (/^UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED)$/.test(code))
    return new CallHandlingError(service, error);
  return connectionErrorOf(service, error, sent);
}

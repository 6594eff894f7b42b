import type { Endpoint } from '../../lib/load-balancing/endpoint.js';
import {
  type RequestSink,
  type ResponseSource,
  UpstreamCall,
} from '../../lib/upstream/upstream-call.js';
import type { UpstreamError } from '../../lib/upstream/upstream.errors.js';

export interface RecordedCallOptions {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: string;
  readonly body?: string;
  readonly responseTimeout?: number;
  readonly accepts?: (endpoint: Endpoint) => boolean;
  /** Leaves the end of the request body to the test. */
  readonly openBody?: boolean;
}

/** A call that writes down everything it hears. */
export class RecordedCall extends UpstreamCall {
  override readonly method: string;
  override readonly hasBody: boolean;
  override readonly responseTimeout: number;
  override readonly accepts?: (endpoint: Endpoint) => boolean;
  readonly heard: string[] = [];
  status = 0;
  rawHeaders: string[] = [];
  trailers: readonly string[] | undefined;
  error: UpstreamError | undefined;
  sink: RequestSink | undefined;
  source: ResponseSource | undefined;
  sends = 0;
  wants = true;
  drains = 0;
  informations: { status: number; rawHeaders: readonly string[] }[] = [];
  /** Resolves when it has ended, well or not. */
  readonly ended: Promise<this>;
  private finish: () => void = () => {};
  private readonly chunks: Buffer[] = [];

  constructor(private readonly options: RecordedCallOptions = {}) {
    super();
    this.method = options.method ?? 'GET';
    this.hasBody = options.body !== undefined || options.openBody === true;
    this.responseTimeout = options.responseTimeout ?? 2_000;
    if (options.accepts) this.accepts = options.accepts;
    this.ended = new Promise((resolve) => (this.finish = () => resolve(this)));
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  get bytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  override get replayable(): boolean {
    return ['GET', 'HEAD', 'OPTIONS'].includes(this.method) && this.sink === undefined;
  }

  override head(endpoint: Endpoint): string {
    this.sends++;
    const { path = '/', body, openBody, fields = '' } = this.options;
    const framing = openBody
      ? 'transfer-encoding: chunked\r\n'
      : body === undefined
        ? ''
        : `content-length: ${body.length}\r\n`;
    return `${this.method} ${path} HTTP/1.1\r\nhost: ${endpoint.authority}\r\n${framing}${fields}\r\n`;
  }

  override onConnected(sink: RequestSink): void {
    this.heard.push('connected');
    this.sink = sink;
    if (this.options.openBody) return;
    sink.write(this.options.body ?? '');
    sink.end();
  }

  override onDrain(): void {
    this.drains++;
  }

  override onInformation(status: number, rawHeaders: readonly string[]): void {
    this.heard.push('information');
    this.informations.push({ status, rawHeaders });
  }

  override onHead(status: number, rawHeaders: string[], source: ResponseSource): void {
    this.heard.push('head');
    this.status = status;
    this.rawHeaders = rawHeaders;
    this.source = source;
  }

  override onBody(chunk: Buffer): boolean {
    if (this.heard.at(-1) !== 'body') this.heard.push('body');
    this.chunks.push(chunk);
    return this.wants;
  }

  override onEnd(trailers: readonly string[] | undefined): void {
    this.heard.push('end');
    this.trailers = trailers;
    this.finish();
  }

  override onError(error: UpstreamError): void {
    this.heard.push('error');
    this.error = error;
    this.finish();
  }
}

import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { ServiceIdentity } from '../../common/service-identity.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';

/** What a line tells of a request. */
export interface AccessEntry {
  readonly method: string;
  /** The path that was asked for, without its query, which may hold secrets. */
  readonly path: string;
  /** The route's path as it was written. */
  readonly route: string;
  readonly status: number;
  /** The service it was led to. */
  readonly upstream: string;
  /** The instance that answered; empty when none did. */
  readonly upstreamInstance: string;
  readonly attempts: number;
  /** How long it took, in ms. */
  readonly ms: number;
  readonly traceId: string;
  readonly correlationId: string;
}

/** Where the lines go. */
export type LogSink = (lines: string) => void;

/** The injection token of the sink. */
export const ACCESS_LOG_SINK = Symbol('ACCESS_LOG_SINK');

const FLUSH_AFTER = 50;
const FLUSH_AT = 16_384;

/**
 * A line of JSON for each proxied request, in the shape of `RookeryLogger`'s lines, and written in batches: a logger call
 * for each request would cost a third of the proxying.
 */
@Injectable()
export class AccessLog implements OnApplicationShutdown {
  private lines = '';
  private waiting = false;
  /** The time of the last line as text; many lines share their millisecond. */
  private time = { at: -1, text: '' };

  constructor(
    private readonly clock: Clock,
    private readonly identity: ServiceIdentity,
    @Inject(ACCESS_LOG_SINK) private readonly sink: LogSink,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  get enabled(): boolean {
    return this.settings.accessLog;
  }

  write(entry: AccessEntry): void {
    this.lines += this.format(entry);
    if (this.lines.length >= FLUSH_AT) this.flush();
    else if (!this.waiting) {
      this.waiting = true;
      this.clock.after(FLUSH_AFTER, () => this.flush());
    }
  }

  onApplicationShutdown(): void {
    this.flush();
  }

  private format(entry: AccessEntry): string {
    const level = entry.status >= 500 ? 'error' : 'info';
    return (
      `{"level":"${level}","time":"${this.now()}","service":"${this.identity.name}","context":"Access"` +
      `,"traceId":"${entry.traceId}","correlationId":"${entry.correlationId}"` +
      `,"method":${quote(entry.method)},"path":${quote(entry.path)},"route":${quote(entry.route)}` +
      `,"status":${entry.status},"upstream":${quote(entry.upstream)}` +
      `,"upstreamInstance":${quote(entry.upstreamInstance)},"attempts":${entry.attempts}` +
      `,"ms":${entry.ms.toFixed(1)},"msg":"request proxied"}\n`
    );
  }

  private now(): string {
    const at = this.clock.wallTime();
    if (at !== this.time.at) this.time = { at, text: new Date(at).toISOString() };
    return this.time.text;
  }

  private flush(): void {
    this.waiting = false;
    const { lines } = this;
    this.lines = '';
    if (lines !== '') this.sink(lines);
  }
}

const NEEDS_ESCAPE = /["\\]|[^\x20-\x7e]/;

function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

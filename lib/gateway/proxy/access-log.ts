import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { hostname } from 'node:os';
import { Clock } from '../../common/clock.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';

/** What a line tells of a request. */
export interface AccessEntry {
  readonly method: string;
  readonly path: string;
  /** The route's path as it was written. */
  readonly route: string;
  readonly service: string;
  readonly status: number;
  /** The instance that answered; empty when none did. */
  readonly instance: string;
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

/** A line of JSON for each proxied request, shaped as pino shapes it, and written in batches. */
@Injectable()
export class AccessLog implements OnApplicationShutdown {
  private lines = '';
  private waiting = false;
  private readonly tail = `,"pid":${process.pid},"hostname":${JSON.stringify(hostname())}`;

  constructor(
    private readonly clock: Clock,
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
    // pino: 30 is info, 40 is warn, 50 is error.
    const level = entry.status >= 500 ? 50 : 30;
    return (
      `{"level":${level},"time":${this.clock.wallTime()}${this.tail},"service":${quote(entry.service)}` +
      `,"method":${quote(entry.method)},"path":${quote(entry.path)},"route":${quote(entry.route)}` +
      `,"status":${entry.status},"instance":${quote(entry.instance)},"attempts":${entry.attempts}` +
      `,"ms":${entry.ms.toFixed(1)},"traceId":"${entry.traceId}","correlationId":"${entry.correlationId}"` +
      `,"msg":"request proxied"}\n`
    );
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

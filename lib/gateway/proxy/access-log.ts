import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { ServiceIdentity } from '../../common/service-identity.js';
import type { ProxiedRequest } from '../gateway.events.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';

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

  readonly enabled: boolean;
  /** What is the same in all lines; the name is known when all modules are there. */
  private same: string | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly identity: ServiceIdentity,
    @Inject(ACCESS_LOG_SINK) private readonly sink: LogSink,
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
  ) {
    this.enabled = settings.accessLog;
  }

  write(request: ProxiedRequest): void {
    this.lines += this.format(request);
    if (this.lines.length >= FLUSH_AT) this.flush();
    else if (!this.waiting) {
      this.waiting = true;
      this.clock.after(FLUSH_AFTER, () => this.flush());
    }
  }

  onApplicationShutdown(): void {
    this.flush();
  }

  private format(request: ProxiedRequest): string {
    const { status, route, scope, endpoint } = request;
    return (
      `{"level":"${status >= 500 ? 'error' : 'info'}","time":"${this.now()}",${this.self()}` +
      `,"traceId":"${scope.trace.traceId}","correlationId":"${scope.correlationId}"` +
      `,"method":${quote(request.method)},"path":${quote(pathOf(request.url))}` +
      `,"route":${quote(route.path)},"status":${status},"upstream":${quote(route.to)}` +
      `,"upstreamInstance":${quote(endpoint?.instance.id ?? '')},"attempts":${request.attempts}` +
      `,"ms":${inTenths(request.duration)}${rest(request)},"msg":"request proxied"}\n`
    );
  }

  private self(): string {
    return (this.same ??= `"service":${JSON.stringify(this.identity.name)},"context":"Access"`);
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

/** When the answer began, and why there was none. */
function rest({ timeToFirstByte, reason }: ProxiedRequest): string {
  const first = timeToFirstByte < 0 ? '' : `,"firstByteMs":${inTenths(timeToFirstByte)}`;
  return reason === '' ? first : `${first},"reason":${quote(reason)}`;
}

const NEEDS_ESCAPE = /["\\]|[^\x20-\x7e]/;

function quote(text: string): string {
  return NEEDS_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** What was asked for, without its query, which may hold secrets. */
function pathOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark);
}

/** `toFixed(1)`, at a tenth of its price. */
function inTenths(ms: number): string {
  const tenths = Math.round(ms * 10);
  const whole = Math.floor(tenths / 10);
  return `${whole}.${tenths - whole * 10}`;
}

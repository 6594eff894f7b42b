import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { ServiceIdentity } from '../../common/service-identity.js';
import type { ProxiedRequest } from '../gateway.events.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway.options.js';

/** Where the lines go. */
export type LogSink = (lines: Buffer) => void;

/** The injection token of the sink. */
export const ACCESS_LOG_SINK = Symbol('ACCESS_LOG_SINK');

const FLUSH_AFTER = 50;
/** As many bytes are written at a time, or fewer. */
const BATCH = 16_384;
/** A line is hardly ever longer. */
const ROOM = 2_048;

/**
 * A line of JSON for each proxied request, in the shape of `RookeryLogger`'s lines, and written in batches: a logger call
 * for each request would cost a third of the proxying.
 */
@Injectable()
export class AccessLog implements OnApplicationShutdown {
  // Lines are laid down as bytes at once: texts that wait would be put together from cold memory later.
  private batch = Buffer.allocUnsafe(BATCH);
  private used = 0;
  private waiting = false;
  /** The second of the last line as text; many lines share it. */
  private second = { at: -1, text: '' };
  readonly enabled: boolean;
  /** What is the same in all lines; the name is known when all modules are there. */
  private same: string | undefined;
  private readonly routes = new WeakMap<ProxiedRequest['route'], string>();

  constructor(
    private readonly clock: Clock,
    private readonly identity: ServiceIdentity,
    @Inject(ACCESS_LOG_SINK) private readonly sink: LogSink,
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
  ) {
    this.enabled = settings.accessLog;
  }

  write(request: ProxiedRequest): void {
    const line = this.format(request);
    if (this.used + line.length > BATCH) this.flush();
    if (line.length > BATCH) return this.sink(Buffer.from(line, 'latin1'));
    this.used += this.batch.write(line, this.used, 'latin1');
    if (this.used > BATCH - ROOM) this.flush();
    else if (!this.waiting) {
      this.waiting = true;
      this.clock.after(FLUSH_AFTER, this.flushLate);
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
      `,"method":"${request.method}","path":${quote(pathOf(request.url))}` +
      `${this.leading(route)},"status":${status}` +
      `,"upstreamInstance":${quote(endpoint?.instance.id ?? '')},"attempts":${request.attempts}` +
      `,"ms":${inTenths(request.duration)}${rest(request)},"msg":"request proxied"}\n`
    );
  }

  private self(): string {
    return (this.same ??= `"service":${quote(this.identity.name)},"context":"Access"`);
  }

  /** What is the same for all requests of a route, and written once. */
  private leading(route: ProxiedRequest['route']): string {
    let text = this.routes.get(route);
    if (text === undefined) {
      text = `,"route":${quote(route.path)},"upstream":${quote(route.to)}`;
      this.routes.set(route, text);
    }
    return text;
  }

  private now(): string {
    const at = this.clock.wallTime();
    const second = Math.floor(at / 1_000);
    if (second !== this.second.at) {
      const text = new Date(second * 1_000).toISOString().slice(0, -4);
      this.second = { at: second, text };
    }
    return `${this.second.text}${String(Math.floor(at) - second * 1_000).padStart(3, '0')}Z`;
  }

  private readonly flushLate = (): void => {
    this.waiting = false;
    this.flush();
  };

  private flush(): void {
    const { batch, used } = this;
    if (used === 0) return;
    // The sink may take its time with these bytes.
    this.batch = Buffer.allocUnsafe(BATCH);
    this.used = 0;
    this.sink(batch.subarray(0, used));
  }
}

/** When the answer began, and why there was none. */
function rest({ timeToFirstByte, reason }: ProxiedRequest): string {
  const first = timeToFirstByte < 0 ? '' : `,"firstByteMs":${inTenths(timeToFirstByte)}`;
  return reason === '' ? first : `${first},"reason":${quote(reason)}`;
}

const BEYOND_ASCII = /[^\x20-\x7e]/g;
const NEEDS_ESCAPE = /["\\]|[^\x20-\x7e]/;

/** A text in JSON, with nothing beyond ASCII, so that each character is a byte. */
function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replaceAll(BEYOND_ASCII, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
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

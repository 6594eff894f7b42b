import type {
  Context,
  Span as ApiSpan,
  SpanContext,
  Tracer as ApiTracer,
} from '@opentelemetry/api';
import type { TraceContext } from '../../common/trace-context.js';
import { Span, type SpanEnd, type SpanKind, type SpanStart, Tracer } from '../../common/tracer.js';

type Api = typeof import('@opentelemetry/api');

/** Under this symbol every copy of the API finds what an SDK has registered (@opentelemetry/api, global-utils). */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/** Spans by OpenTelemetry's API, for whichever SDK the application has registered. */
export class OpenTelemetryTracer extends Tracer {
  private readonly tracer: ApiTracer;

  /** Loads the API if an SDK has registered itself for traces; otherwise it is `undefined`, and costs nothing. */
  static async find(): Promise<OpenTelemetryTracer | undefined> {
    const registered = (globalThis as { [REGISTERED]?: { readonly trace?: unknown } })[REGISTERED];
    if (registered?.trace === undefined) return undefined;
    return new OpenTelemetryTracer(await import('@opentelemetry/api'));
  }

  private constructor(private readonly api: Api) {
    super();
    this.tracer = api.trace.getTracer('nest-rookery');
  }

  override start(kind: SpanKind, { name, parent, tracestate, attributes }: SpanStart): Span {
    const { api } = this;
    const kinds = {
      server: api.SpanKind.SERVER,
      client: api.SpanKind.CLIENT,
      producer: api.SpanKind.PRODUCER,
      consumer: api.SpanKind.CONSUMER,
    };
    const options = { kind: kinds[kind], ...(attributes && { attributes: { ...attributes } }) };
    const context = this.parentOf(parent, tracestate);
    return new OpenTelemetrySpan(api, this.tracer.startSpan(name, options, context), context);
  }

  /** A span that is already active, such as that of another instrumentation of the same request, is the nearer parent. */
  private parentOf(parent: TraceContext | undefined, tracestate: string | undefined): Context {
    const { api } = this;
    const active = api.context.active();
    const current = api.trace.getSpanContext(active);
    if (parent === undefined || (current && current.traceId === parent.traceId)) return active;
    const remote: SpanContext = {
      traceId: parent.traceId,
      spanId: parent.spanId,
      traceFlags: Number.parseInt(parent.flags, 16),
      isRemote: true,
      ...(tracestate && { traceState: api.createTraceState(tracestate) }),
    };
    return api.trace.setSpanContext(active, remote);
  }
}

class OpenTelemetrySpan extends Span {
  override readonly trace: TraceContext;
  override readonly tracestate: string | undefined;

  constructor(
    private readonly api: Api,
    private readonly span: ApiSpan,
    private readonly context: Context,
  ) {
    super();
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    this.trace = { traceId, spanId, flags: traceFlags.toString(16).padStart(2, '0') };
    this.tracestate = traceState?.serialize();
  }

  override within<R>(task: () => R): R {
    return this.api.context.with(this.api.trace.setSpan(this.context, this.span), task);
  }

  override end({ name, attributes, error }: SpanEnd = {}): void {
    const { span } = this;
    if (!span.isRecording()) return;
    if (name !== undefined) span.updateName(name);
    if (attributes) span.setAttributes({ ...attributes });
    if (error !== undefined) {
      const type =
        error instanceof Error ? error.name : typeof error === 'string' ? error : 'error';
      span.setAttribute('error.type', type);
      span.setStatus({ code: this.api.SpanStatusCode.ERROR });
    }
    span.end();
  }
}

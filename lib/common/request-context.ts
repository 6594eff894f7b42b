import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Clock } from './clock.js';
import {
  formatTraceparent,
  parseTraceparent,
  type TraceContext,
  TraceIds,
} from './trace-context.js';
import type { Span, SpanAttributes, SpanKind, SpanStart, Tracer } from './tracer.js';

/** The header that carries the id under which people look a request up. */
export const CORRELATION_HEADER = 'x-correlation-id';

/**
 * The header by which a caller says how many ms it still waits, as a whole number: `x-rookery-deadline: 850`.
 *
 * Time left and not a time of day, as in gRPC's `grpc-timeout`, because clocks of two machines never agree; what the way
 * takes is given to the callee.
 */
export const DEADLINE_HEADER = 'x-rookery-deadline';

/** The most that is kept back of the time left for an answer's way back, in ms, and the part of short times. */
const WAY_BACK = 25;
const WAY_BACK_PART = 1 / 20;

/** What a callee is told of the ms that its caller still waits: its answer, if only that it was too late, must be back by then. */
export function grantedOf(timeLeft: number): number {
  return Math.max(0, Math.floor(timeLeft - Math.min(WAY_BACK, timeLeft * WAY_BACK_PART)));
}

/** What is known of the request that is being handled. */
export interface RequestScope {
  readonly trace: TraceContext;
  /** Vendor data that travels beside `traceparent`, untouched. */
  readonly tracestate?: string | undefined;
  /** What the application says of the request, for everyone it touches (W3C Baggage), untouched. */
  readonly baggage?: string | undefined;
  /** Its step in the trace, if somebody records it. */
  readonly span?: Span | undefined;
  /** The caller's `x-correlation-id`, else the trace id. */
  readonly correlationId: string;
  /** When its caller no longer waits, in ms of the `Clock`; left out, nobody has said. */
  readonly deadline?: number | undefined;
  /** The headers that came with it, as they came; for those a client is told to pass on. */
  readonly headers?: IncomingHttpHeaders;
}

/** How a request ends for whoever works for it. */
interface Ending {
  readonly controller: AbortController;
  readonly stop: () => void;
}

/** Anything else could be an attempt to write into logs or headers. */
const CORRELATION_ID = /^[\w.:-]{1,128}$/;

/** Visible ASCII, spaces and tabs, and no more than everybody must pass on (W3C Baggage, 3.3.2). */
const BAGGAGE = /^[\t\u0020-\u007E]{1,8192}$/;

/**
 * Knows which request is being handled, through every `await`, and what travels on with the calls it makes.
 *
 * @example
 * constructor(private readonly context: RequestContext) {}
 * audit() { return { by: this.context.current?.correlationId }; }
 */
@Injectable()
export class RequestContext {
  private readonly storage = new AsyncLocalStorage<RequestScope>();
  private readonly ids = new TraceIds();
  private tracer: Tracer | undefined;
  private readonly endings = new WeakMap<RequestScope, Ending>();

  constructor(private readonly clock: Clock) {}

  /** From now on requests and calls are recorded. */
  traceWith(tracer: Tracer): void {
    this.tracer = tracer;
  }

  /** The request being handled, or `undefined` outside of one. */
  get current(): RequestScope | undefined {
    return this.storage.getStore();
  }

  /** How many ms the caller of the current request still waits, never below 0; `undefined` when it has not said. */
  get timeLeft(): number | undefined {
    const deadline = this.current?.deadline;
    return deadline === undefined ? undefined : Math.max(0, deadline - this.clock.now());
  }

  /**
   * Aborts when the current request's deadline has come, or its caller has hung up before; `undefined` when it has none.
   * Asked anew, it is never late: a timer of a process that stood still would be.
   */
  get signal(): AbortSignal | undefined {
    const scope = this.current;
    if (scope?.deadline === undefined) return undefined;
    const { controller } = this.endingOf(scope);
    if (this.isLate(scope)) giveUp(controller);
    return controller.signal;
  }

  /** A request that had a deadline has its answer, or is given up because its caller waits for none. */
  end(scope: RequestScope, answered: boolean): void {
    if (answered) return this.endings.get(scope)?.stop();
    const { controller, stop } = this.endingOf(scope);
    stop();
    controller.abort(new DOMException('its caller has hung up', 'AbortError'));
  }

  /** Whether a request's deadline has come. */
  isLate({ deadline }: RequestScope): boolean {
    return deadline !== undefined && deadline <= this.clock.now();
  }

  /** Runs a function, and all it awaits, as part of a request. */
  run<R>(scope: RequestScope, task: () => R): R {
    const { span } = scope;
    if (span === undefined) return this.storage.run(scope, task);
    return span.within(() => this.storage.run(scope, task));
  }

  /** The scope of an incoming request: continues the caller's trace, or begins one. */
  open(headers: IncomingHttpHeaders, kind: SpanKind = 'server'): RequestScope {
    const parent = parseTraceparent(single(headers['traceparent']));
    // tracestate without a traceparent means nothing (W3C Trace Context, 3.3).
    const given = parent ? single(headers['tracestate']) : undefined;
    const span = this.tracer?.start(kind, { name: kind, parent, tracestate: given });
    const trace = span?.trace ?? this.follow(parent);
    const tracestate = (span ? span.tracestate : given) || undefined;
    const named = single(headers[CORRELATION_HEADER]);
    const correlationId = named && CORRELATION_ID.test(named) ? named : trace.traceId;
    const said = single(headers['baggage']);
    const baggage = said && BAGGAGE.test(said) ? said : undefined;
    const left = timeLeftIn(single(headers[DEADLINE_HEADER]));
    const deadline = left === undefined ? undefined : this.clock.now() + left;
    // One shape for all, because this is made for every request.
    return { trace, correlationId, headers, tracestate, deadline, baggage, span };
  }

  /** The headers that a call made now should carry; none outside of a request. */
  outgoing(): Readonly<Record<string, string>> {
    const scope = this.current;
    return scope ? headersOf(scope, scope) : {};
  }

  /** The same for a message that is sent and forgotten; where traces are recorded, its sending is a step. */
  sending(name: string, attributes: SpanAttributes = {}): Readonly<Record<string, string>> {
    const scope = this.current;
    if (!scope || !this.tracer) return this.outgoing();
    const { trace: parent, tracestate } = scope;
    const span = this.tracer.start('producer', { name, parent, tracestate, attributes });
    span.end();
    return headersOf(scope, span);
  }

  /**
   * Makes a call with the headers that it should carry; where traces are recorded, the call is a step of the trace.
   *
   * @param step what the step is called, and what is said of it
   */
  async call<R>(
    step: { readonly name: string; readonly attributes: SpanAttributes },
    task: (headers: Readonly<Record<string, string>>) => Promise<R>,
  ): Promise<R> {
    const scope = this.current;
    if (!scope || !this.tracer) return task(this.outgoing());
    const { trace: parent, tracestate } = scope;
    const span = this.tracer.start('client', { ...step, parent, tracestate });
    try {
      const result = await span.within(() => task(headersOf(scope, span)));
      span.end();
      return result;
    } catch (error) {
      span.end({ error });
      throw error;
    }
  }

  /** A call made for a request, as a step of its trace; `undefined` where nobody records the request. */
  step({ span, trace: parent, tracestate }: RequestScope, step: SpanStart): Span | undefined {
    return span && this.tracer?.start('client', { ...step, parent, tracestate });
  }

  private endingOf(scope: RequestScope): Ending {
    let ending = this.endings.get(scope);
    if (ending === undefined) {
      const controller = new AbortController();
      const left = Math.max(0, (scope.deadline ?? 0) - this.clock.now());
      ending = { controller, stop: this.clock.after(left, () => giveUp(controller)) };
      this.endings.set(scope, ending);
    }
    return ending;
  }

  private follow(parent: TraceContext | undefined): TraceContext {
    return {
      traceId: parent?.traceId ?? this.ids.traceId(),
      spanId: this.ids.spanId(),
      flags: parent?.flags ?? '01',
    };
  }
}

/** Nothing of it is wanted any more; the first reason stays. */
function giveUp(controller: AbortController): void {
  controller.abort(new DOMException('its deadline has come', 'TimeoutError'));
}

/** What carries a request's place on, as a step of the trace. */
function headersOf(
  { correlationId, baggage }: RequestScope,
  { trace, tracestate }: Pick<RequestScope, 'trace'> & { readonly tracestate?: string | undefined },
): Readonly<Record<string, string>> {
  return {
    traceparent: formatTraceparent(trace),
    [CORRELATION_HEADER]: correlationId,
    ...(tracestate ? { tracestate } : {}),
    ...(baggage ? { baggage } : {}),
  };
}

/** The ms that a deadline header grants; anything but a whole number of at most nine digits is as good as none. */
function timeLeftIn(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

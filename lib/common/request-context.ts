import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import {
  formatTraceparent,
  parseTraceparent,
  type TraceContext,
  TraceIds,
} from './trace-context.js';

/** The header that carries the id under which people look a request up. */
export const CORRELATION_HEADER = 'x-correlation-id';

/** What is known of the request that is being handled. */
export interface RequestScope {
  readonly trace: TraceContext;
  /** Vendor data that travels beside `traceparent`, untouched. */
  readonly tracestate?: string;
  /** The caller's `x-correlation-id`, else the trace id. */
  readonly correlationId: string;
}

/** Anything else could be an attempt to write into logs or headers. */
const CORRELATION_ID = /^[\w.:-]{1,128}$/;

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

  /** The request being handled, or `undefined` outside of one. */
  get current(): RequestScope | undefined {
    return this.storage.getStore();
  }

  /** Runs a function, and all it awaits, as part of a request. */
  run<R>(scope: RequestScope, task: () => R): R {
    return this.storage.run(scope, task);
  }

  /** The scope of an incoming request: continues the caller's trace, or begins one. */
  open(headers: IncomingHttpHeaders): RequestScope {
    const parent = parseTraceparent(single(headers['traceparent']));
    const trace: TraceContext = {
      traceId: parent?.traceId ?? this.ids.traceId(),
      spanId: this.ids.spanId(),
      flags: parent?.flags ?? '01',
    };
    const named = single(headers[CORRELATION_HEADER]);
    const correlationId = named && CORRELATION_ID.test(named) ? named : trace.traceId;
    // tracestate without a traceparent means nothing (W3C Trace Context, 3.3).
    const tracestate = parent ? single(headers['tracestate']) : undefined;
    return { trace, correlationId, ...(tracestate ? { tracestate } : {}) };
  }

  /** The headers that a call made now should carry; none outside of a request. */
  outgoing(): Readonly<Record<string, string>> {
    const scope = this.current;
    if (!scope) return {};
    return {
      traceparent: formatTraceparent(scope.trace),
      [CORRELATION_HEADER]: scope.correlationId,
      ...(scope.tracestate ? { tracestate: scope.tracestate } : {}),
    };
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

import type { TraceContext } from './trace-context.js';

/** What a span stands for, as OpenTelemetry names it. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer';

/** What is said of a span; names as in OpenTelemetry's semantic conventions. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Where a span comes from. */
export interface SpanStart {
  readonly name: string;
  /** The caller's span; absent for the current one, or for a new trace. */
  readonly parent?: TraceContext | undefined;
  readonly tracestate?: string | undefined;
  readonly attributes?: SpanAttributes;
}

/** How a span ended. */
export interface SpanEnd {
  readonly name?: string;
  readonly attributes?: SpanAttributes;
  /** What went wrong, if something did: an error, or the status that was answered. */
  readonly error?: unknown;
}

/** One step of a trace that somebody records. */
export abstract class Span {
  abstract readonly trace: TraceContext;
  abstract readonly tracestate: string | undefined;

  /** Runs a task so that spans which others make in it belong to this one. */
  abstract within<R>(task: () => R): R;

  /** Ends it; later calls do nothing. */
  abstract end(end?: SpanEnd): void;
}

/** Makes spans. There is none unless somebody records them: then nothing of this costs anything. */
export abstract class Tracer {
  abstract start(kind: SpanKind, start: SpanStart): Span;
}

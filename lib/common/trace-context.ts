/** One request's place in a trace, as W3C Trace Context names it. */
export interface TraceContext {
  /** 32 hexadecimal digits, the same in every service the request touches. */
  readonly traceId: string;
  /** 16 hexadecimal digits, one for each hop. */
  readonly spanId: string;
  /** Two hexadecimal digits; `01` is sampled. */
  readonly flags: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** Reads a `traceparent` header; anything malformed is as good as none (W3C Trace Context, 3.2.2.4). */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const match = header === undefined ? null : TRACEPARENT.exec(header);
  if (!match) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = match;
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, flags };
}

/** Writes a `traceparent` header. */
export function formatTraceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}

/** Random bytes are made so many at a time, because one call to the generator for each id costs 3 µs. */
const POOL = 4_096;

/** Makes trace and span ids, cut out of one long text of random digits: an id costs no more than a piece of a text. */
export class TraceIds {
  private readonly pool = Buffer.alloc(POOL);
  private digits = '';
  private used = 0;

  /** A new trace id. */
  traceId(): string {
    return this.cut(32);
  }

  /** A new span id. */
  spanId(): string {
    return this.cut(16);
  }

  private cut(length: number): string {
    if (this.used + length > this.digits.length) {
      this.digits = crypto.getRandomValues(this.pool).toString('hex');
      this.used = 0;
    }
    const id = this.digits.slice(this.used, (this.used += length));
    // An id of zeros alone means "none" (W3C Trace Context, 3.2.2.3).
    return id === NO_SPAN || id === NO_TRACE ? this.cut(length) : id;
  }
}

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

/** Makes trace and span ids from a pool of random bytes, because one call to the generator per id costs 3 µs. */
export class TraceIds {
  private readonly pool = new Uint8Array(4_096);
  private used = this.pool.length;

  /** A new trace id. */
  traceId(): string {
    return this.hex(16);
  }

  /** A new span id. */
  spanId(): string {
    return this.hex(8);
  }

  private hex(bytes: number): string {
    if (this.used + bytes > this.pool.length) {
      crypto.getRandomValues(this.pool);
      this.used = 0;
    }
    let id = '';
    for (const end = this.used + bytes; this.used < end; this.used++) {
      id += HEX[this.pool[this.used] as number];
    }
    // An id of zeros alone means "none" (W3C Trace Context, 3.2.2.3).
    return id === NO_SPAN || id === NO_TRACE ? this.hex(bytes) : id;
  }
}

/** The two digits of every byte. */
const HEX: readonly string[] = Array.from({ length: 256 }, (_, n) =>
  n.toString(16).padStart(2, '0'),
);

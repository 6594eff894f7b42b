/** A counter of one set of labels; whoever holds it adds to it directly. */
export class CounterSeries {
  value = 0;
}

/** A request that stands for the others of its bucket. */
export interface Exemplar {
  readonly traceId: string;
  /** In seconds. */
  readonly value: number;
  /** In seconds since 1970. */
  readonly at: number;
}

/** A histogram of one set of labels. */
export class HistogramSeries {
  /** How many fell into each bucket, the last one being without a bound. */
  readonly counts: Float64Array;
  sum = 0;
  /** Of each bucket the first sampled request since the last scrape; the former one stays while there is no other. */
  readonly exemplars: (Exemplar | undefined)[];
  private readonly fresh: Uint8Array;

  constructor(readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
    this.exemplars = Array.from({ length: bounds.length + 1 });
    this.fresh = new Uint8Array(bounds.length + 1);
  }

  /** Counts a duration in seconds, and says which bucket it fell into. */
  record(seconds: number): number {
    const { bounds, counts } = this;
    let bucket = 0;
    // Most requests are fast, so the search begins at the front.
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.sum += seconds;
    return bucket;
  }

  /** Whether a bucket would take an exemplar: one for each scrape is enough. */
  wantsExemplar(bucket: number): boolean {
    return this.fresh[bucket] === 0;
  }

  keepExemplar(bucket: number, exemplar: Exemplar): void {
    this.exemplars[bucket] = exemplar;
    this.fresh[bucket] = 1;
  }

  /** It was scraped: each bucket takes a new exemplar. */
  refresh(): void {
    this.fresh.fill(0);
  }
}

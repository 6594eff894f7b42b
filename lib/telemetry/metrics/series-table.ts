import type { MetricDefinition } from './metric-definition.js';

/** What the labels of every further series are, once a metric has as many as it may. */
const OVERFLOW = '_other';

/**
 * The series of one metric, by the values of its labels.
 *
 * It never grows beyond its limit, so that nobody can fill the memory, or the bill, by inventing values; what comes then
 * is counted in one more series whose labels are all `_other`.
 */
export class SeriesTable<S> {
  private readonly byLabels = new Map<string, S>();
  private readonly labelled: (readonly [values: readonly string[], series: S])[] = [];
  private overflow: S | undefined;

  constructor(
    readonly definition: MetricDefinition,
    private readonly limit: number,
    private readonly make: () => S,
  ) {}

  /** The series of these values, in the order of the definition's labels; keep it where it is needed often. */
  of(...values: readonly string[]): S {
    const key = values.join('\u0000');
    const known = this.byLabels.get(key);
    if (known !== undefined) return known;
    if (this.byLabels.size >= this.limit) return this.rest();
    const made = this.make();
    this.byLabels.set(key, made);
    this.labelled.push([values, made]);
    return made;
  }

  get size(): number {
    return this.labelled.length;
  }

  /** Every series with its labels. */
  *entries(): Iterable<readonly [labels: Readonly<Record<string, string>>, series: S]> {
    const { labels } = this.definition;
    for (const [values, series] of this.labelled) {
      yield [
        Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])),
        series,
      ];
    }
  }

  private rest(): S {
    if (this.overflow === undefined) {
      this.overflow = this.make();
      this.labelled.push([this.definition.labels.map(() => OVERFLOW), this.overflow]);
    }
    return this.overflow;
  }
}

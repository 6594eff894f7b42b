const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

function* samplesOf(page: string): Iterable<Sample> {
  for (const line of page.split('\n')) {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    // Buckets are for machines.
    if (name === undefined || name.endsWith('_bucket')) continue;
    const pairs = [...labels.matchAll(LABEL)].map(
      ([, key = '', text = '']) => [key, text] as const,
    );
    yield { name, labels: new Map(pairs), value: Number(value) };
  }
}

/** The names of a page's metrics, as Spring Boot's `/metrics` lists them. */
export function metricNames(page: string): readonly string[] {
  return [...new Set([...samplesOf(page)].map(({ name }) => name))].toSorted();
}

/**
 * The sum of a metric's series, and which labels would divide it, in the shape of Spring Boot's `/metrics/{name}`; only of
 * the series with these tags, `label:value` each. `undefined` where there are none.
 */
export function measuredMetric(
  page: string,
  name: string,
  tags: readonly string[],
): object | undefined {
  const samples = [...samplesOf(page)].filter(
    (sample) => sample.name === name && tags.every((tag) => hasTag(sample, tag)),
  );
  if (samples.length === 0) return undefined;
  const asked = new Set(tags.map((tag) => tag.split(':', 1)[0]));
  const values = new Map<string, Set<string>>();
  for (const { labels } of samples) {
    for (const [label, value] of labels) {
      if (asked.has(label)) continue;
      const known = values.get(label) ?? new Set();
      values.set(label, known.add(value));
    }
  }
  return {
    name,
    measurements: [
      { statistic: statisticOf(name), value: samples.reduce((sum, { value }) => sum + value, 0) },
    ],
    availableTags: [...values].map(([tag, found]) => ({ tag, values: [...found] })),
  };
}

function hasTag({ labels }: Sample, tag: string): boolean {
  const [label = ''] = tag.split(':', 1);
  return labels.get(label) === tag.slice(label.length + 1);
}

/** Micrometer's words. */
function statisticOf(name: string): string {
  if (name.endsWith('_sum')) return 'TOTAL';
  return /_(?:total|count)$/.test(name) ? 'COUNT' : 'VALUE';
}

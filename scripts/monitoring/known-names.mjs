// Finds metrics and labels in a query that nobody has defined.
const EVERYWHERE = ['service', 'instance', 'job', 'le'];
/** Of prom-client, for Node. */
const NODE = [
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_used_bytes',
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
];

/** The labels of each name that may be asked for. */
export function knownNames(instruments, recorded) {
  const names = new Map(NODE.concat(recorded).map((name) => [name, []]));
  for (const { metrics } of Object.values(instruments)) {
    for (const { name, type, labels } of Object.values(metrics)) {
      const suffixes = type === 'histogram' ? ['_bucket', '_count', '_sum'] : [''];
      for (const suffix of suffixes) names.set(`${name}${suffix}`, labels);
    }
  }
  return names;
}

/** Throws when the query names what is not there. */
export function assertKnown(query, names) {
  const labels = new Set(EVERYWHERE);
  const series =
    /\b((?:rookery|nodejs|process|http_server)_\w+|(?:service|gateway):[\w:]+)(?:\{([^}]*)\})?/g;
  for (const [, name, matchers = ''] of query.matchAll(series)) {
    const own = names.get(name);
    if (own === undefined)
      throw new Error(`There is no metric ${name}, which is asked for by ${query}`);
    for (const label of own) labels.add(label);
    for (const [, label] of matchers.matchAll(/(\w+)\s*[=!]/g)) {
      if (!own.includes(label) && !EVERYWHERE.includes(label))
        throw new Error(`${name} has no label ${label}, which is asked for by ${query}`);
    }
  }
  for (const [, list] of query.matchAll(/\bby \(([^)]*)\)/g)) {
    const unknown = list.split(/,\s*/).find((label) => !labels.has(label));
    if (unknown !== undefined)
      throw new Error(`No metric has the label ${unknown}, which is asked for by ${query}`);
  }
}

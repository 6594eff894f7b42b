// Of many rounds one figure, and of many figures a table.

/** The middle one, or between the two middle ones. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (
    ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) +
      (sorted[sorted.length >> 1] ?? Number.NaN)) /
    2
  );
}

/** The half of the rounds during which others used the contender's core least: the machine may be shared. */
function quietest(rounds) {
  return rounds.toSorted((a, b) => a.foreign - b.foreign).slice(0, Math.ceil(rounds.length / 2));
}

/** One contender's figures in one scenario, out of its rounds. */
export function summary(rounds) {
  const quiet = quietest(rounds);
  const figure = (name) => median(quiet.map((round) => round[name]));
  return {
    cpuMicros: figure('cpuMicros'),
    rps: figure('rps'),
    p50: figure('p50'),
    p99: figure('p99'),
    rss: figure('rss'),
  };
}

/** Markdown: the cheapest first, each beside ours. */
export function table(figures, notes) {
  const our = figures.rookery?.cpuMicros;
  const rows = Object.entries(figures)
    .toSorted(([, a], [, b]) => a.cpuMicros - b.cpuMicros)
    .map(([name, { cpuMicros, rps, p50, p99, rss }]) =>
      [
        name,
        cpuMicros.toFixed(1),
        our === undefined ? '' : (cpuMicros / our).toFixed(2),
        rps.toFixed(0),
        p50.toFixed(2),
        p99.toFixed(2),
        rss.toFixed(0),
        notes[name],
      ].join(' | '),
    );
  return [
    '| contender | CPU µs/request | times ours | requests/s | p50 ms | p99 ms | RSS MB | |',
    '|---|--:|--:|--:|--:|--:|--:|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

// What RookeryModule costs an application at start, in time and memory, beside a bare Nest application and beside the
// packages it stands on. Each figure is the median of several fresh processes, taken in turn.
//
//   npm run bench:start -- [--runs 15] [--json FILE]
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '15' }, json: { type: 'string' } },
});
const runs = Number(values.runs);
const app = fileURLToPath(new URL('start-app.mjs', import.meta.url));

const CASES = {
  'bare Nest': 'bare',
  'Nest, config and terminus': 'packages',
  RookeryModule: 'rookery',
  'RookeryModule with gateway': 'gateway',
};

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

function measure(kind) {
  const out = execFileSync(process.execPath, ['--expose-gc', app, kind], {
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production', CONSUL_HTTP_ADDR: '', CONFIG_URL: '' },
  });
  return JSON.parse(out);
}

const results = Object.fromEntries(Object.keys(CASES).map((name) => [name, []]));
for (let run = -1; run < runs; run++) {
  for (const [name, kind] of Object.entries(CASES)) {
    const figures = measure(kind);
    if (run >= 0) results[name].push(figures); // the first round warms the disk cache
  }
}

const rows = Object.entries(results).map(([name, all]) => ({
  name,
  ms: median(all.map(({ ms }) => ms)),
  cpu: median(all.map(({ cpu }) => cpu)),
  rss: median(all.map(({ rss }) => rss)),
  heap: median(all.map(({ heap }) => heap)),
}));
const [bare] = rows;
const over = (figure, key) =>
  `${figure[key].toFixed(1)} (+${(figure[key] - bare[key]).toFixed(1)})`;

console.log(
  `Node ${process.versions.node}, medians of ${runs} fresh processes each; in brackets: over bare Nest\n`,
);
console.log(
  '| application | until it listens, ms | CPU, ms | RSS, MB | heap, MB |\n|---|---|---|---|---|',
);
for (const row of rows) {
  console.log(
    `| ${row.name} | ${over(row, 'ms')} | ${over(row, 'cpu')} | ${over(row, 'rss')} | ${over(row, 'heap')} |`,
  );
}
if (values.json)
  writeFileSync(values.json, JSON.stringify({ node: process.versions.node, runs, rows }, null, 2));

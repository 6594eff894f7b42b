// Writes monitoring/ from the definitions of the metrics: rules and a scrape configuration for Prometheus, dashboards for Grafana.
//   npm run monitoring              writes
//   npm run monitoring -- --check   fails where what is written is not what the definitions make
// A folder may be named after that.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { stringify } from 'yaml';
import { dashboards } from './monitoring/dashboards.mjs';
import { assertKnown, knownNames } from './monitoring/known-names.mjs';
import { rules } from './monitoring/rules.mjs';
import { prometheusConfig } from './monitoring/scrape.mjs';

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const root = join(import.meta.dirname, '..');
const folder = positionals[0] ?? join(root, 'monitoring');

/** The definitions as they stand in lib/, without a build of the package. */
async function definitions() {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'lib/telemetry/instruments/built-in.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
  });
  const { instruments } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  return instruments;
}

const instruments = await definitions();
const prometheus = rules();
const all = prometheus.groups.flatMap((group) => group.rules);
const boards = dashboards(instruments);
const names = knownNames(
  instruments,
  all.flatMap(({ record }) => record ?? []),
);
for (const { expr } of all) assertKnown(expr, names);
for (const { panels } of Object.values(boards)) {
  for (const { targets } of panels) assertKnown(targets[0].expr, names);
}

const yaml = (value) => `# Made by npm run monitoring.\n${stringify(value, { lineWidth: 0 })}`;
const files = {
  'prometheus/rookery.rules.yml': yaml(prometheus),
  'prometheus/prometheus.yml': yaml(prometheusConfig()),
};
for (const [name, board] of Object.entries(boards)) {
  files[`grafana/rookery-${name}.json`] = `${JSON.stringify(board, null, 2)}\n`;
}
for (const [name, text] of Object.entries(files)) {
  const path = join(folder, name);
  if (values.check) {
    if (readFileSync(path, 'utf8') !== text)
      throw new Error(`${name} is not what the metrics' definitions make. Run npm run monitoring.`);
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

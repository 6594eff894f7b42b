// What users are promised when things break, against real processes: a gateway, three instances and a Consul agent.
//
//   npm run faults -- [--only NAME] [--json FILE] [--rate 200]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SCENARIOS } from './faults/scenarios.mjs';
import { Stack } from './faults/stack.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    rate: { type: 'string', default: '200' },
  },
});
const only = values.only === '' ? undefined : values.only.split(',');
const unknown = only?.filter((name) => !(name in SCENARIOS)) ?? [];
if (unknown.length > 0) {
  console.error(
    `There is no scenario ${unknown.join(', ')}. They are: ${Object.keys(SCENARIOS).join(', ')}.`,
  );
  process.exit(2);
}

const results = [];
console.log('| scenario | promise | figure | |\n|---|---|---|---|');
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (only !== undefined && !only.includes(name)) continue;
  const stack = new Stack();
  try {
    const findings = await scenario({ stack, rate: Number(values.rate) });
    for (const { promise, figure, kept, ...details } of findings) {
      results.push({ scenario: name, promise, figure, kept, ...details });
      console.log(`| ${name} | ${promise} | ${figure} | ${kept ? 'kept' : '**broken**'} |`);
    }
  } catch (error) {
    results.push({ scenario: name, promise: 'it runs', figure: String(error), kept: false });
    console.log(`| ${name} | it runs | ${error?.message ?? error} | **broken** |`);
  } finally {
    await stack.stop();
  }
}
const broken = results.filter(({ kept }) => !kept).length;
console.log(
  `\nNode ${process.versions.node}; ${results.length} promises, ${broken === 0 ? 'all kept' : `${broken} broken`}`,
);
if (values.json)
  writeFileSync(values.json, JSON.stringify({ node: process.versions.node, results }, null, 2));
process.exit(broken === 0 ? 0 : 1);
